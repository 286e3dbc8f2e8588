import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { amqplibInside, type ConnectionClass, insideOf } from '../../src/messaging/amqplib-inside.ts';
import { AgentProcess } from '../helpers/agent-process.ts';
import { amqplibFolder, loadAmqplibParts } from '../helpers/amqplib-parts.ts';
import { pollingLoad, preload } from '../helpers/notification-load.ts';
import { type Rabbitmq, startRabbitmq } from '../helpers/rabbitmq.ts';
import { describeWith } from '../helpers/services.ts';
import { until } from '../helpers/until.ts';

const package_ = fileURLToPath(new URL('../..', import.meta.url));

describe('the inside of amqplib', () => {
  it('is as it is known, in the version that is installed', () => {
    expect(amqplibInside().decodeFrame).toBeTypeOf('function');
  });

  it.each<[string, (stock: ConnectionClass) => void]>([
    ['has no handshake in steps', ({ prototype }) => void Reflect.set(prototype, 'step', undefined)],
    ['has no loop', ({ prototype }) => void Reflect.set(prototype, 'acceptLoop', undefined)],
    ['hands frames to something else', ({ prototype }) => void Reflect.set(prototype, 'acceptLoop', () => undefined)],
    [
      'does not note what came',
      ({ prototype }) => void Reflect.defineProperty(prototype, 'recvSinceLastCheck', { get: () => false, set() {} }),
    ],
  ])('is not taken for known when a connection %s', (_, change) => {
    const { Connection, decodeFrame } = loadAmqplibParts();
    change(Connection);

    expect(insideOf(Connection, decodeFrame).decodeFrame).toBeUndefined();
  });

  it('is not taken for known when it makes other frames', () => {
    const { Connection, decodeFrame } = loadAmqplibParts();

    const other = insideOf(Connection, (frame) => ({ ...decodeFrame(frame) }));

    expect(other.decodeFrame).toBeUndefined();
  });
});

describeWith('rabbitmq', 'an agent with an amqplib whose inside is another', () => {
  let rabbit: Rabbitmq;
  let folder: string;
  beforeAll(async () => {
    rabbit = await startRabbitmq();
  });
  afterAll(() => rabbit?.[Symbol.asyncDispose]());

  /** The package as it is installed, with an amqplib of its own. Returns the notification agent's program. */
  function install(change: (amqplib: string) => void): string {
    folder = mkdtempSync(join(tmpdir(), 'ceilometer-amqplib-'));
    for (const part of ['dist', 'etc', 'package.json'])
      cpSync(join(package_, part), join(folder, part), { recursive: true });
    const modules = dirname(amqplibFolder);
    const own = join(folder, 'node_modules');
    cpSync(amqplibFolder, join(own, 'amqplib'), { recursive: true });
    for (const name of readdirSync(modules)) {
      if (name !== 'amqplib' && !name.startsWith('.')) symlinkSync(join(modules, name), join(own, name));
    }
    change(join(own, 'amqplib'));
    return join(folder, 'dist/cli/notification.js');
  }

  function rename(amqplib: string, names: Readonly<Record<string, string>>): void {
    for (const file of readdirSync(join(amqplib, 'lib')).map((name) => join(amqplib, 'lib', name))) {
      const text = Object.entries(names).reduce(
        (old, [name, other]) => old.replaceAll(new RegExp(`\\b${name}\\b`, 'g'), other),
        readFileSync(file, 'utf8'),
      );
      writeFileSync(file, text);
    }
  }

  it.each<[string, (amqplib: string) => void]>([
    [
      'other names',
      (amqplib) => rename(amqplib, { acceptLoop: 'readLoop', recvSinceLastCheck: 'heard', sendContent: 'sendBody' }),
    ],
    [
      'other files',
      (amqplib) => {
        cpSync(join(amqplib, 'lib'), join(amqplib, 'source'), { recursive: true });
        rmSync(join(amqplib, 'lib'), { recursive: true });
        for (const file of ['channel_api.js', 'callback_api.js']) {
          const text = readFileSync(join(amqplib, file), 'utf8');
          writeFileSync(join(amqplib, file), text.replaceAll('./lib/', './source/'));
        }
      },
    ],
  ])('takes messages as that one reads them: %s', async (_, change) => {
    const program = install(change);
    const vhost = rabbit.vhost();
    const broker = await rabbit.connect(vhost);
    await preload(broker, pollingLoad(), 20);
    const output = join(folder, 'samples.jsonl');
    const pipeline = {
      sources: [{ name: 'all', meters: ['*'], sinks: ['file'] }],
      sinks: [{ name: 'file', publishers: [`file://${output}?json`] }],
    };
    writeFileSync(join(folder, 'pipeline.yaml'), JSON.stringify(pipeline));
    const conf = join(folder, 'ceilometer.conf');
    const url = `rabbit://guest:guest@127.0.0.1:${rabbit.port}/${vhost}`;
    writeFileSync(conf, `[DEFAULT]\ntransport_url = ${url}\n[notification]\npipelines = meter\n`);

    const agent = new AgentProcess(program, ['--config-file', conf]);
    await agent.shows(/taking notifications/);
    await until('all samples are there', () => readFileSync(output, 'utf8').split('\n').length === 1001);
    agent.kill('SIGTERM');

    expect((await agent.ended).code).toBe(0);
    await broker.close();
    rmSync(folder, { recursive: true });
  });
});
