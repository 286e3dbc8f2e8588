import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ChannelModel } from 'amqplib';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { getKey } from '../../src/python/value.ts';
import { stringifyJson } from '../../src/wire/json.ts';
import { parseExactJson } from '../../src/wire/json-parser.ts';
import { isList, isObject, type JsonValue } from '../../src/wire/value.ts';
import { AgentProcess } from '../helpers/agent-process.ts';
import { canonical, goldenCases, masked, writeProfile } from '../helpers/golden-notifications.ts';
import { depth, mixedLoad, PROPERTIES, preload } from '../helpers/notification-load.ts';
import { type Rabbitmq, startRabbitmq } from '../helpers/rabbitmq.ts';
import { describeWith } from '../helpers/services.ts';
import { startTcpProxy } from '../helpers/tcp-proxy.ts';
import { until } from '../helpers/until.ts';

// Thousands of messages and several starts of the agent, also on a busy machine.

const DEAD = 'ceilometer.dead_letters';

function isWhole(line: string): boolean {
  try {
    parseExactJson(line);
    return true;
  } catch {
    return false;
  }
}

interface Place {
  readonly vhost: string;
  readonly conf: string;
  readonly directory: string;
  readonly broker: ChannelModel;
  lines(kind: 'samples' | 'events'): readonly JsonValue[];
}

describeWith('rabbitmq', 'ceilometer-agent-notification', () => {
  let rabbit: Rabbitmq;
  let folder: string;
  const agents: AgentProcess[] = [];

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'ceilometer-notification-'));
    rabbit = await startRabbitmq();
  });

  afterAll(async () => {
    for (const agent of agents) agent.kill('SIGKILL');
    await rabbit?.[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true, force: true });
  });

  async function place(options: { profile?: string; port?: number; extra?: string } = {}): Promise<Place> {
    const vhost = rabbit.vhost();
    const directory = join(folder, vhost);
    mkdirSync(directory);
    const file = (kind: string) => join(directory, `${kind}.jsonl`);
    const conf = writeProfile(directory, options.profile ?? 'default', {
      transportUrl: `rabbit://guest:guest@127.0.0.1:${options.port ?? rabbit.port}/${vhost}`,
      samplePublishers: [`file://${file('samples')}?json`],
      eventPublishers: [`file://${file('events')}?json`],
    });
    writeFileSync(conf, `${readFileSync(conf, 'utf8')}\n${options.extra ?? ''}\n`);
    return {
      vhost,
      conf,
      directory,
      broker: await rabbit.connect(vhost),
      lines(kind) {
        const text = statSync(file(kind), { throwIfNoEntry: false }) ? readFileSync(file(kind), 'utf8') : '';
        const whole = text.slice(0, text.lastIndexOf('\n') + 1).split('\n');
        // A process that is killed may leave half a line; its notification is delivered again.
        return whole.filter(isWhole).map((line) => parseExactJson(line));
      },
    };
  }

  function start({ conf }: Place): AgentProcess {
    const agent = new AgentProcess('notification', ['--config-file', conf]);
    agents.push(agent);
    return agent;
  }

  async function publish(
    { broker }: Place,
    routingKey: string,
    body: string,
    exchange = 'nova',
    more = {},
  ): Promise<void> {
    const channel = await broker.createConfirmChannel();
    channel.publish(exchange, routingKey, Buffer.from(body), { ...PROPERTIES, ...more });
    await channel.waitForConfirms();
    await channel.close();
  }

  function message(eventType: string, payload: object, more: object = {}): string {
    return JSON.stringify({
      message_id: `id-${eventType}`,
      publisher_id: 'service.host',
      event_type: eventType,
      priority: 'INFO',
      payload,
      timestamp: '2026-03-01 10:00:00.000000',
      ...more,
    });
  }

  async function deadLetters({ broker }: Place) {
    const channel = await broker.createChannel();
    const letters = [];
    for (;;) {
      const letter = await channel.get(DEAD, { noAck: true });
      if (letter === false) break;
      letters.push({ body: letter.content.toString(), reason: String(letter.properties.headers?.['x-reason']) });
    }
    await channel.close();
    return letters;
  }

  const eventIds = (at: Place) => at.lines('events').map((event) => String(getKey(event, 'message_id')));

  it('makes of recorded messages in real queues what the real agent made of them', async () => {
    const at = await place();
    const agent = start(at);
    await agent.shows(/taking notifications/);
    const chosen = goldenCases().filter(
      ({ profile, loops }, index) => profile === 'default' && !loops && index % 6 === 0,
    );

    for (const { exchange, routingKey, body } of chosen) await publish(at, routingKey, body, exchange);
    await publish(at, 'notifications.info', message('the.last', {}));
    await until('the last event', () => eventIds(at).includes('id-the.last'));
    agent.kill('SIGTERM');
    const { code } = await agent.ended;

    const text = (values: readonly JsonValue[]) => values.map((value) => stringifyJson(canonical(value))).sort();
    const fromFile = (event: JsonValue): JsonValue => {
      const traits = getKey(event, 'traits');
      const list = traits !== undefined && isList(traits) ? traits : [];
      const triples = list.map((trait) => {
        const [name, dtype, value] = ['name', 'dtype', 'value'].map((key) => getKey(trait, key) ?? null);
        return stringifyJson([
          name ?? null,
          dtype ?? null,
          dtype === 4 ? String(value).replace(' ', 'T') : (value ?? null),
        ]);
      });
      const generated = String(getKey(event, 'generated')).replace(' ', 'T');
      return isObject(event) ? { ...event, generated, traits: triples.sort() } : event;
    };
    const sortedTraits = (event: JsonValue): JsonValue => {
      const traits = getKey(event, 'traits');
      const list = traits !== undefined && isList(traits) ? traits.map((trait) => stringifyJson(trait)).sort() : [];
      return isObject(event) ? { ...event, traits: list } : event;
    };
    const events = at.lines('events').filter((event) => getKey(event, 'message_id') !== 'id-the.last');
    expect(code).toBe(0);
    expect(text(at.lines('samples').map(masked))).toEqual(text(chosen.flatMap(({ samples }) => samples)));
    expect(text(events.map(fromFile))).toEqual(text(chosen.flatMap((one) => one.events).map(sortedTraits)));
    expect(chosen.length).toBeGreaterThan(25);
  });

  it('declares what oslo.messaging declares: seven queues, bound to each exchange', async () => {
    const at = await place({ profile: 'raw' });
    const agent = start(at);
    await agent.shows(/taking notifications/);
    const channel = await at.broker.createChannel();

    for (const priority of ['audit', 'debug', 'info', 'warn', 'error', 'critical', 'sample']) {
      const { consumerCount } = await channel.checkQueue(`notifications.${priority}`);
      expect(consumerCount).toBe(1);
      await channel.assertQueue(`notifications.${priority}`, { durable: false, autoDelete: false });
    }
    for (const exchange of ['nova', 'cinder', 'aodh']) {
      await channel.assertExchange(exchange, 'topic', { durable: false, autoDelete: false });
    }
    agent.kill('SIGTERM');
    await agent.ended;
    const sender = await at.broker.createConfirmChannel();
    const unroutable: string[] = [];
    sender.on('return', ({ fields }) => unroutable.push(`${fields.exchange} ${fields.routingKey}`));
    for (const exchange of ['nova', 'cinder', 'aodh']) {
      for (const priority of ['audit', 'sample']) {
        sender.publish(exchange, `notifications.${priority}`, Buffer.from('{}'), { mandatory: true });
      }
    }
    await sender.waitForConfirms();

    expect(unroutable).toEqual([]);
    expect((await agent.ended).code).toBe(0);
  });

  it('puts what cannot be processed aside with the reason, and goes on with the rest', async () => {
    const at = await place();
    const agent = start(at);
    await agent.shows(/taking notifications/);
    const bad = {
      'not JSON': '{"event_type": ',
      'another envelope': JSON.stringify({ 'oslo.version': '3.0', 'oslo.message': '{}' }),
      'no date': message('image.upload', { id: 'i', size: 1 }, { timestamp: 'yesterday' }),
      'no text as event type': message('x', {}, { event_type: 5 }),
      'a priority that is no text': message('x', {}, { priority: 7 }),
      'a list as volume': message('image.upload', { id: 'i', size: [1] }),
      'a date that no trait takes': message('image.create', { id: 'i', created_at: 'soon' }),
      'polled samples without samples': message('telemetry.polling', { samples: null }, { priority: 'SAMPLE' }),
    };

    for (const body of Object.values(bad)) await publish(at, 'notifications.info', body);
    await publish(at, 'notifications.info', 'plain', 'nova', { contentType: 'text/plain' });
    await publish(at, 'notifications.info', message('x.unknown', {}, { priority: 'WHISPER' }));
    await publish(at, 'notifications.info', message('the.good', {}));
    await until('the good event', () => eventIds(at).includes('id-the.good'));
    const letters: Awaited<ReturnType<typeof deadLetters>> = [];
    for (let tries = 0; letters.length < 9 && tries < 100; tries++) {
      letters.push(...(await deadLetters(at)));
      await sleep(20);
    }
    agent.kill('SIGTERM');
    await agent.ended;

    expect(letters.map(({ body }) => body).sort()).toEqual([...Object.values(bad), 'plain'].sort());
    expect(letters.every(({ reason }) => reason.length > 5)).toBe(true);
    expect(await depth(at.broker, 'notifications.info')).toBe(0);
  });

  it('acknowledges only what its publishers have, so that a killed agent loses nothing', async () => {
    const at = await place();
    await preload(at.broker, mixedLoad(), 4000);

    for (let kill = 0; kill < 4; kill++) {
      const agent = start(at);
      await agent.shows(/taking notifications/);
      await sleep(Math.random() * 250);
      agent.kill('SIGKILL');
      await agent.ended;
    }
    const last = start(at);
    await last.shows(/taking notifications/);
    await until('all events', () => new Set(eventIds(at)).size === 4000);
    last.kill('SIGTERM');
    expect((await last.ended).code).toBe(0);

    // What was repeated has the ids that it had before.
    const ids = at.lines('samples').map((sample) => `${String(getKey(sample, 'id'))} ${stringifyJson(sample)}`);
    const samples = new Set(ids.map((line) => line.slice(0, 36)));
    expect(new Set(ids).size).toBe(samples.size);
    expect(await depth(at.broker, 'notifications.info')).toBe(0);
  });

  it('loses nothing when the connection breaks again and again', async () => {
    const proxy = await startTcpProxy(rabbit.port);
    const at = await place({
      port: proxy.port,
      extra: '[oslo_messaging_rabbit]\nkombu_reconnect_delay = 0.1\nrabbit_retry_backoff = 0\n',
    });
    await preload(at.broker, mixedLoad(), 1500);
    const agent = start(at);
    await agent.shows(/taking notifications/);

    for (let cut = 0; cut < 3; cut++) {
      const before = at.lines('events').length;
      await until('notifications on this connection', () => at.lines('events').length > before || before >= 1500);
      proxy.cut();
    }
    await until('all events', () => new Set(eventIds(at)).size === 1500);
    agent.kill('SIGTERM');
    const { code } = await agent.ended;
    await proxy[Symbol.asyncDispose]();

    expect(code).toBe(0);
    expect(agent.stderr).toMatch(/lost the connection/);
  });

  it('takes a new pipeline on SIGHUP, and keeps the old one when the new one is wrong', async () => {
    const at = await place();
    const agent = start(at);
    await agent.shows(/taking notifications/);
    const other = join(at.directory, 'other.jsonl');
    const pipeline = (publisher: string) =>
      JSON.stringify({
        sources: [{ name: 's', events: ['*'], sinks: ['x'] }],
        sinks: [{ name: 'x', publishers: [publisher] }],
      });

    writeFileSync(join(at.directory, 'event_pipeline.yaml'), pipeline('nonsense://x'));
    agent.kill('SIGHUP');
    await agent.shows(/the old one goes on/);
    await publish(at, 'notifications.info', message('before', {}));
    await until('the event in the old file', () => eventIds(at).includes('id-before'));
    writeFileSync(join(at.directory, 'event_pipeline.yaml'), pipeline(`file://${other}?json`));
    agent.kill('SIGHUP');
    await agent.shows(/configuration reloaded/);
    await publish(at, 'notifications.info', message('after', {}));
    await until('the event in the new file', () => readFileSync(other, 'utf8').includes('id-after'));
    agent.kill('SIGTERM');

    expect((await agent.ended).code).toBe(0);
    expect(eventIds(at)).toEqual(['id-before']);
  });

  it('ends at once with a line for each mistake in its files', async () => {
    const at = await place();
    writeFileSync(
      join(at.directory, 'pipeline.yaml'),
      'sources:\n- {name: a, meters: ["*"], sinks: [b]}\nsinks:\n- name: b\n  publishers: ["udp://:0", "file:///x/y/z?max_bytes=many"]\n',
    );
    const agent = start(at);
    const { code, stderr } = await agent.ended;

    expect(code).toBe(1);
    expect(stderr).toMatch(/pipeline\.yaml:5: udp:\/\/:0: expected HOST:PORT/);
    expect(stderr).toMatch(/pipeline\.yaml:5: .*option max_bytes: expected an integer from 0 on, got "many"/);
  });

  it('runs several workers, and replaces one that dies', async () => {
    const at = await place({ extra: '[notification]\nworkers = 2\n' });
    const agent = start(at);
    const consumers = async () => {
      const channel = await at.broker.createChannel();
      const { consumerCount } = await channel.checkQueue('notifications.info').catch(() => ({ consumerCount: 0 }));
      await channel.close().catch(() => {});
      return consumerCount;
    };
    const reach = async (count: number) => {
      for (let tries = 0; (await consumers()) !== count && tries < 300; tries++) await sleep(50);
      expect(await consumers()).toBe(count);
    };
    await agent.shows(/taking notifications/);
    await reach(2);
    const [, worker] = await agent.shows(/ (\d+) INFO taking notifications/);

    process.kill(Number(worker), 'SIGKILL');
    await agent.shows(/a worker died/);
    await reach(2);
    await publish(at, 'notifications.info', message('shared', {}));
    await until('the event', () => eventIds(at).includes('id-shared'));
    agent.kill('SIGTERM');

    expect((await agent.ended).code).toBe(0);
  });

  it('gets copies of its own in a pool, which its workers share, of several brokers', async () => {
    const at = await place();
    const second = rabbit.vhost();
    const urls = [at.vhost, second].map(
      (vhost) => `messaging_urls = rabbit://guest:guest@127.0.0.1:${rabbit.port}/${vhost}`,
    );
    const pooled = await place({ extra: `[notification]\npool = archive\nworkers = 2\n${urls.join('\n')}` });
    const [agent, archive] = [start(at), start(pooled)];
    await agent.shows(/taking notifications/);
    await archive.shows(/taking notifications[\s\S]*taking notifications/);
    const other = { ...at, broker: await rabbit.connect(second) };

    for (let index = 0; index < 10; index++) {
      await publish(at, 'notifications.info', message(`here.${index}`, {}));
      await publish(at, 'notifications.error', message(`error.${index}`, {}, { priority: 'ERROR' }), 'glance');
      await publish(other, 'notifications.info', message(`there.${index}`, {}));
    }
    await until('the events', () => eventIds(pooled).length >= 30 && eventIds(at).length >= 20);
    for (const one of [agent, archive]) one.kill('SIGTERM');
    await Promise.all([agent.ended, archive.ended]);

    const ids = (...kinds: string[]) => kinds.flatMap((kind) => [...Array(10).keys()].map((n) => `id-${kind}.${n}`));
    expect(eventIds(at).sort()).toEqual(ids('error', 'here'));
    expect(eventIds(pooled).sort()).toEqual(ids('error', 'here', 'there'));
  });

  it.each(['om14', 'om18'])(
    'takes what the notifier of oslo.messaging put into its queues before, in envelopes and bare: %s',
    async (version) => {
      const at = await place();
      const sent = await replay(at, version);

      const agent = start(at);
      await until('the events', () => at.lines('events').length >= sent.length);
      agent.kill('SIGTERM');
      const { code, stderr } = await agent.ended;

      const shown = at
        .lines('events')
        .map((event) => [
          String(getKey(event, 'message_id')),
          String(getKey(event, 'event_type')),
          String(getKey(event, 'generated')),
        ]);
      expect(shown.sort()).toEqual(sent.toSorted());
      expect(sent.map(([, eventType]) => eventType)).toEqual([
        'compute.instance.exists',
        'compute.instance.exists',
        'compute.instance.create.error',
        'compute.instance.exists',
        'two.topics',
      ]);
      expect(await deadLetters(at)).toEqual([]);
      expect(code).toBe(0);
      expect(stderr).not.toMatch(/ERROR/);
    },
  );

  /** Declares and publishes what was recorded of a notifier; returns id, type and time of what makes an event. */
  async function replay({ broker }: Place, version: string): Promise<readonly string[][]> {
    const file = new URL(`../fixtures/wire/service-notifier.${version}.jsonl`, import.meta.url);
    const channel = await broker.createConfirmChannel();
    const sent: string[][] = [];
    let target: JsonValue | undefined;
    let properties: JsonValue | undefined;
    for (const line of readFileSync(file, 'utf8').trim().split('\n')) {
      const frame = parseExactJson(line);
      const text = (key: string) => String(getKey(getKey(frame, 'args'), key));
      const [method, header, body] = [getKey(frame, 'method'), getKey(frame, 'header'), getKey(frame, 'body')];
      const fleeting = { durable: false, autoDelete: false };
      if (method === 'exchange.declare') await channel.assertExchange(text('exchange'), text('type'), fleeting);
      else if (method === 'queue.declare') await channel.assertQueue(text('queue'), fleeting);
      else if (method === 'queue.bind') {
        await channel.bindQueue(text('queue'), text('exchange'), text('routing_key'));
      } else if (method === 'basic.publish') target = getKey(frame, 'args');
      else if (header !== undefined) properties = header;
      else if (typeof body === 'string') {
        const [exchange, key] = [getKey(target, 'exchange'), getKey(target, 'routing_key')].map(String);
        expect(properties).toEqual({
          content_type: 'application/json',
          content_encoding: 'utf-8',
          headers: {},
          delivery_mode: 2,
          priority: 0,
        });
        channel.publish(exchange ?? '', key ?? '', Buffer.from(body), PROPERTIES);
        if (key === 'notifications.info' || key === 'notifications.error') sent.push(eventOf(body));
      }
    }
    await channel.waitForConfirms();
    await channel.close();
    return sent;
  }

  function eventOf(body: string): string[] {
    const outer = parseExactJson(body);
    const inner = getKey(outer, 'oslo.message');
    const sent = typeof inner === 'string' ? parseExactJson(inner) : outer;
    return ['message_id', 'event_type', 'timestamp'].map((key) => String(getKey(sent, key)));
  }

  it('takes the signed samples of our own polling agent, and rejects those of one with another secret', async () => {
    const secret = (name: string) => `[publisher]\ntelemetry_secret = ${name}`;
    const at = await place({ extra: `[notification]\npolled_signatures = reject\n${secret('s3cr3t')}` });
    const agent = start(at);
    await agent.shows(/taking notifications/);
    const poll = async (extra: string, ...pollsters: string[]) => {
      const conf = join(at.directory, 'polling.conf');
      writeFileSync(conf, `${readFileSync(at.conf, 'utf8')}\n${extra}\n`);
      const args = ['--config-file', conf, '--polling-namespaces', 'host', '--once', '--pollster-list', ...pollsters];
      expect((await new AgentProcess('polling', args).ended).code).toBe(0);
    };

    await poll(secret('other'), 'hardware.memory.used');
    await poll('', 'hardware.memory.total', 'hardware.cpu.load.*');
    await until('the samples', () => at.lines('samples').length >= 4);
    agent.kill('SIGTERM');
    await agent.ended;

    const names = at.lines('samples').map((sample) => String(getKey(sample, 'name')));
    expect(names.sort()).toEqual([
      'hardware.cpu.load.15min',
      'hardware.cpu.load.1min',
      'hardware.cpu.load.5min',
      'hardware.memory.total',
    ]);
    expect(agent.stderr.match(/not signed with the secret/g)).toHaveLength(1);
  });
});
