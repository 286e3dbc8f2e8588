import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Agent, request } from 'undici';
import { expect, it, onTestFinished } from 'vitest';
import { AgentProcess } from '../helpers/agent-process.ts';
import { eventually } from '../helpers/eventually.ts';
import { makePki } from '../helpers/pki.ts';
import { freePorts } from '../helpers/ports.ts';
import { describeWith } from '../helpers/services.ts';

describeWith('openssl', 'a polling agent with enable_prometheus_exporter', () => {
  it('serves the samples of its last cycle over TLS, without a broker', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'exporter-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    await makePki(folder);
    const [port = 0] = await freePorts(1);
    writeFileSync(
      join(folder, 'polling.yaml'),
      'sources:\n  - {name: all, interval: 1, meters: ["hardware.memory.*"]}\n',
    );
    writeFileSync(
      join(folder, 'ceilometer.conf'),
      `[DEFAULT]\nhost = machine\n[polling]\ncfg_file = ${folder}/polling.yaml\nenable_notifications = false\n` +
        `enable_prometheus_exporter = true\nprometheus_listen_addresses = 127.0.0.1:${port}\n` +
        `prometheus_tls_enable = true\nprometheus_tls_certfile = ${folder}/servercert.pem\n` +
        `prometheus_tls_keyfile = ${folder}/serverkey.pem\n`,
    );
    const agent = new AgentProcess('polling', [
      ...['--config-file', join(folder, 'ceilometer.conf'), '--polling-namespaces', 'host'],
    ]);
    onTestFinished(async () => {
      agent.kill('SIGKILL');
      await agent.ended;
    });
    const dispatcher = new Agent({ connect: { ca: readFileSync(join(folder, 'cacert.pem')) } });
    onTestFinished(() => dispatcher.close());
    const scrape = () =>
      request(`https://localhost:${port}/metrics`, { dispatcher }).then(
        ({ body }) => body.text(),
        () => '',
      );

    await eventually(scrape).toMatch(/^ceilometer_hardware_memory_total\{.*resource="machine".*\} \d+$/m);

    expect(await scrape()).toContain('# TYPE ceilometer_hardware_memory_used gauge');
  });
});
