import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { AgentProcess } from '../helpers/agent-process.ts';
import { eventually } from '../helpers/eventually.ts';
import { freePorts } from '../helpers/ports.ts';

const environment = (port: number) => ({
  OS_SERVICE_CREDENTIALS__AUTH_TYPE: 'gnocchi-basic',
  OS_SERVICE_CREDENTIALS__USER: 'admin',
  OS_SERVICE_CREDENTIALS__ENDPOINT: `http://127.0.0.1:${port}`,
});

// Requests that get no answer are made again with pauses.

describe('ceilometer-upgrade', () => {
  it('waits for a Gnocchi that comes later, and creates what is missing there', async () => {
    const [port = 0] = await freePorts(1);
    const created: string[] = [];
    const server = createServer((request, response) => {
      let body = '';
      request.on('data', (chunk: Buffer) => {
        body += chunk.toString();
      });
      request.on('end', () => {
        if (request.method === 'POST') created.push(JSON.parse(body).name);
        const status = request.method === 'POST' ? 201 : request.url === '/' ? 200 : 404;
        response.writeHead(status, { 'content-type': 'application/json' }).end('{"build": "4.4.2"}');
      });
    });
    onTestFinished(() => {
      server.close();
    });
    const upgrade = new AgentProcess('upgrade', [], environment(port));
    onTestFinished(() => upgrade.kill('SIGKILL'));
    await eventually(() => upgrade.stderr).toMatch(/Gnocchi does not answer, trying again/);

    server.listen(port, '127.0.0.1');

    const { code } = await upgrade.ended;
    expect(code).toBe(0);
    expect((server.address() as AddressInfo).port).toBe(port);
    expect(created).toEqual(expect.arrayContaining(['instance', 'volume', 'image', 'dns_zone']));
  });

  it('gives up after --retry attempts', async () => {
    const [port = 0] = await freePorts(1);

    const { code, stderr } = await new AgentProcess('upgrade', ['--retry', '1'], environment(port)).ended;

    expect(code).toBe(1);
    expect(stderr).toMatch(/ceilometer-upgrade: .*no answer from 127.0.0.1/);
  });

  it('refuses a Gnocchi that is too old', async () => {
    const server = createServer((_request, response) => response.end('{"build": "4.1.9"}'));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => {
      server.close();
    });

    const { code, stderr } = await new AgentProcess('upgrade', [], environment((server.address() as AddressInfo).port))
      .ended;

    expect(code).toBe(1);
    expect(stderr).toContain('expected a Gnocchi 4 from 4.2 on, got 4.1.9');
  });

  it('does nothing with --skip-gnocchi-resource-types, and says what is wrong with its arguments', async () => {
    const skipping = await new AgentProcess('upgrade', ['--skip-gnocchi-resource-types']).ended;
    const wrong = await new AgentProcess('upgrade', ['--retry', 'x']).ended;
    const without = await new AgentProcess('upgrade', []).ended;

    expect(skipping.code).toBe(0);
    expect(wrong.stderr).toContain('--retry: expected an integer from 0 on');
    expect(without.stderr).toMatch(/\[service_credentials\] auth_type is not set/);
    expect([wrong.code, without.code]).toEqual([1, 1]);
  });
});
