import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { parseExactJson } from '../../src/wire/json-parser.ts';
import { createSigner, signedText } from '../../src/wire/signature.ts';
import { isList, isObject, type JsonObject, type JsonValue } from '../../src/wire/value.ts';
import { AgentProcess, run } from '../helpers/agent-process.ts';
import { freePorts } from '../helpers/ports.ts';
import { type Rabbitmq, startRabbitmq } from '../helpers/rabbitmq.ts';
import { describeWith } from '../helpers/services.ts';

describeWith('rabbitmq', 'ceilometer-polling and a broker', () => {
  let broker: Rabbitmq;
  let folder: string;
  let agent: AgentProcess | undefined;

  beforeAll(async () => {
    broker = await startRabbitmq();
  });

  afterAll(() => broker[Symbol.asyncDispose]());

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'delivery-'));
  });

  afterEach(() => {
    agent?.kill('SIGKILL');
    rmSync(folder, { recursive: true });
  });

  function configured(transportUrl: string, conf = ''): string[] {
    const polling = join(folder, 'polling.yaml');
    writeFileSync(
      polling,
      'sources:\n  - {name: all, interval: 1, meters: ["hardware.memory.*", "hardware.cpu.load.*"]}\n',
    );
    const file = join(folder, 'ceilometer.conf');
    writeFileSync(
      file,
      `[publisher]\ntelemetry_secret = s3cr3t\n[polling]\ncfg_file = ${polling}\n` +
        `[DEFAULT]\ntransport_url = ${transportUrl}\n${conf}`,
    );
    return ['--config-file', file, '--polling-namespaces', 'host'];
  }

  const urlOf = (vhost: string) => `rabbit://guest:guest@127.0.0.1:${broker.port}/${vhost}`;

  /** The samples in the queue of a stock notification agent, and the messages that brought them. */
  async function received(vhost: string): Promise<{ messages: JsonObject[]; samples: JsonObject[] }> {
    const connection = await broker.connect(vhost);
    const channel = await connection.createChannel();
    const messages: JsonObject[] = [];
    for (;;) {
      const got = await channel.get('notifications.sample', { noAck: true });
      if (got === false) break;
      const envelope = object(parseExactJson(got.content.toString('utf8')));
      messages.push(object(parseExactJson(String(envelope['oslo.message']))));
    }
    await connection.close();
    const samples = messages.flatMap((message) => {
      const list = object(message['payload'] ?? null)['samples'] ?? null;
      return isList(list) ? list.map(object) : [];
    });
    return { messages, samples };
  }

  function object(value: JsonValue): JsonObject {
    if (!isObject(value)) throw new Error(`not an object: ${JSON.stringify(value)}`);
    return value;
  }

  it('delivers signed samples where a stock notification agent looks for them, and exits 0', async () => {
    const vhost = broker.vhost();

    const { code, stderr } = await run('polling', [...configured(urlOf(vhost)), '--once']);

    const { messages, samples } = await received(vhost);
    const sign = createSigner('s3cr3t');
    expect({ code, stderr }).toMatchObject({ code: 0, stderr: expect.not.stringContaining('ERROR') });
    expect(messages.map((message) => [message['event_type'], message['publisher_id'], message['priority']])).toEqual(
      messages.map(() => ['telemetry.polling', 'ceilometer.polling', 'SAMPLE']),
    );
    expect(samples.map((sample) => sample['counter_name'])).toContain('hardware.memory.total');
    expect(samples.map((sample) => sample['message_signature'])).toEqual(
      samples.map((sample) => sign(signedText(sample))),
    );
  });

  it('exits 3 when it could not deliver', async () => {
    const [port = 0] = await freePorts(1);
    const conf = 'graceful_shutdown_timeout = 1\n';

    const { code, stderr } = await run('polling', [...configured(`rabbit://127.0.0.1:${port}/`, conf), '--once']);

    expect(code).toBe(3);
    expect(stderr).toContain(`127.0.0.1:${port}`);
    expect(stderr).not.toMatch(/^ {4}at /m);
  });

  it.each([
    [
      'a wrong password',
      (vhost: string) => `rabbit://guest:wr0ng@127.0.0.1:${broker.port}/${vhost}`,
      /refused|password|login/i,
    ],
    ['a wrong virtual host', () => `rabbit://guest:guest@127.0.0.1:${broker.port}/nowhere`, /nowhere/],
  ])('tells of %s in one line, without the password, and polls on', async (_, url, told) => {
    const args = configured(url(broker.vhost()), 'graceful_shutdown_timeout = 1\n');
    agent = new AgentProcess('polling', args);

    await agent.shows(told);
    await agent.shows(/(cycle done[\s\S]*){3}/);
    agent.kill('SIGTERM');
    const { code, stderr } = await agent.ended;

    expect(code).toBe(3);
    expect(stderr.split('\n').filter((line) => told.test(line)).length).toBeLessThanOrEqual(3);
    expect(stderr).not.toContain('wr0ng');
  });

  it('delivers on SIGTERM what it has polled until then', async () => {
    const vhost = broker.vhost();
    agent = new AgentProcess('polling', configured(urlOf(vhost)));
    await agent.shows(/(cycle done[\s\S]*){2}/);

    agent.kill('SIGTERM');
    const { code, stderr } = await agent.ended;

    const polled = [...stderr.matchAll(/cycle done: .*samples=(\d+)/g)].reduce(
      (sum, [, count]) => sum + Number(count),
      0,
    );
    const { samples } = await received(vhost);
    const ids = new Set(samples.map((sample) => sample['message_id']));
    expect(code).toBe(0);
    expect(ids.size).toBe(polled);
  });
});
