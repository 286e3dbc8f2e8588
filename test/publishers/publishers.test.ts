import { createSocket } from 'node:dgram';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decode } from '@msgpack/msgpack';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createHost } from '../../src/agent/host.ts';
import { loadConfig } from '../../src/config/load.ts';
import type { Event, NotificationSample } from '../../src/notification.ts';
import { parsePublisherUrl } from '../../src/pipeline/publisher-url.ts';
import type { Host, Publisher } from '../../src/plugin.ts';
import plugin from '../../src/publishers/index.ts';
import { packed } from '../../src/publishers/msgpack.ts';
import { WholeFloat } from '../../src/wire/value.ts';
import { eventually } from '../helpers/eventually.ts';
import { recordingLog } from '../helpers/recording-log.ts';
import { startReceiver } from './receiver.ts';

const sample: NotificationSample = {
  id: 'id-1',
  name: 'cpu',
  type: 'cumulative',
  unit: 'ns',
  volume: 123456789012,
  userId: null,
  userName: null,
  projectId: 'p1',
  projectName: null,
  resourceId: 'r-é "q"\n\\',
  timestamp: '2026-03-01T00:00:00+00:00',
  metadata: { a: [1, new WholeFloat(1)], b: null, c: true },
  source: 'openstack',
};

const event: Event = {
  messageId: 'm-1',
  eventType: 'volume.transfer.accept.end',
  generated: '2026-03-01T07:00:00.250000',
  traits: [
    { name: 'service', type: 'text', value: "it's" },
    { name: 'size', type: 'int', value: 5 },
    { name: 'at', type: 'datetime', value: '2026-03-01T07:00:00' },
  ],
  raw: {},
};

const never = new AbortController().signal;

describe('publishers', () => {
  let folder: string;
  let host: Host;
  const log = recordingLog();

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'ceilometer-publishers-'));
    const { config } = loadConfig({ files: [], dirs: [], env: { OS_PUBLISHER__TELEMETRY_SECRET: 's3cr3t' } });
    host = createHost(config, log);
  });

  afterAll(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  async function open(text: string): Promise<Publisher> {
    const url = parsePublisherUrl(text);
    const factory = plugin.publishers?.[url.scheme];
    if (factory === undefined) throw new Error(`no publisher ${url.scheme}`);
    return factory(url, host);
  }

  describe('file', () => {
    it('writes JSON as Python does, one record on each line', async () => {
      const path = join(folder, 'json');
      const publisher = await open(`file://${path}?json`);

      await publisher.publishSamples?.([sample], never);
      await publisher.publishEvents?.([event], never);
      await publisher.close();

      expect(readFileSync(path, 'utf8').split('\n')).toEqual([
        '{"name": "cpu", "type": "cumulative", "unit": "ns", "volume": 123456789012, "user_id": null, "user_name": null, "project_id": "p1", "project_name": null, "resource_id": "r-\\u00e9 \\"q\\"\\n\\\\", "timestamp": "2026-03-01T00:00:00+00:00", "resource_metadata": {"a": [1, 1.0], "b": null, "c": true}, "source": "openstack", "id": "id-1", "monotonic_time": null}',
        '{"message_id": "m-1", "event_type": "volume.transfer.accept.end", "generated": "2026-03-01 07:00:00.250000", "traits": [{"name": "service", "dtype": 1, "value": "it\'s"}, {"name": "size", "dtype": 2, "value": 5}, {"name": "at", "dtype": 4, "value": "2026-03-01 07:00:00"}], "raw": {}}',
        '',
      ]);
    });

    it('writes what Python prints where json is not asked for', async () => {
      const path = join(folder, 'repr');
      const publisher = await open(`file://${path}`);

      await publisher.publishSamples?.([sample], never);
      await publisher.publishEvents?.([event], never);
      await publisher.close();

      const [first, second] = readFileSync(path, 'utf8').split('\n');
      expect(first).toContain("'resource_id': 'r-é \"q\"\\n\\\\', 'timestamp'");
      expect(first).toContain("'resource_metadata': {'a': [1, 1.0], 'b': None, 'c': True}");
      expect(second).toContain("'generated': datetime.datetime(2026, 3, 1, 7, 0, 0, 250000)");
      expect(second).toContain(`{'name': 'service', 'dtype': 1, 'value': "it's"}`);
      expect(second).toContain("'value': datetime.datetime(2026, 3, 1, 7, 0)}");
    });

    it('rotates before a line that would go over the limit, the latest backup first', async () => {
      const path = join(folder, 'rotated');
      const publisher = await open(`file://${path}?json&max_bytes=900&backup_count=2`);
      const numbered = (index: number) => ({ ...sample, id: `id-${index}` });

      for (let index = 0; index < 8; index++) await publisher.publishSamples?.([numbered(index)], never);
      await publisher.close();

      const ids = (suffix: string) => readFileSync(path + suffix, 'utf8').match(/id-\d/g);
      expect(ids('')).toEqual(['id-6', 'id-7']);
      expect(ids('.1')).toEqual(['id-4', 'id-5']);
      expect(ids('.2')).toEqual(['id-2', 'id-3']);
    });

    it('starts a new line after half of one that a killed process left', async () => {
      const path = join(folder, 'torn');
      writeFileSync(path, '{"whole": 1}\n{"ha');
      const publisher = await open(`file://${path}?json`);

      await publisher.publishSamples?.([sample], never);
      await publisher.close();

      const [first, torn, third] = readFileSync(path, 'utf8').split('\n');
      expect([first, torn]).toEqual(['{"whole": 1}', '{"ha']);
      expect(JSON.parse(third ?? '')).toMatchObject({ name: 'cpu' });
    });

    it('keeps the lines of many calls at the same time whole', async () => {
      const path = join(folder, 'parallel');
      const publisher = await open(`file://${path}?json`);

      await Promise.all(Array.from({ length: 50 }, () => publisher.publishSamples?.([sample, sample], never)));
      await publisher.close();

      const lines = readFileSync(path, 'utf8').trim().split('\n');
      expect(lines.length).toBe(100);
      expect(new Set(lines).size).toBe(1);
    });
  });

  describe('http', () => {
    it('posts a list of all, with the credentials and the query that are not its own', async () => {
      const { requests, port, close } = await startReceiver();
      const publisher = await open(`http://us%40er:p%3Aw@127.0.0.1:${port}/x/y?a=1&b=x%20y&a=2&empty=&timeout=3`);

      await publisher.publishSamples?.([sample, sample], never);
      await publisher.publishEvents?.([event], never);
      await publisher.close();
      await close();

      const [first, second] = requests;
      expect(first?.head.url).toBe('/x/y?a=1&a=2&b=x+y');
      expect(first?.head.headers.authorization).toBe(`Basic ${Buffer.from('us%40er:p%3Aw').toString('base64')}`);
      expect(first?.head.headers['content-type']).toBe('application/json');
      expect(JSON.parse(first?.body ?? '')).toHaveLength(2);
      expect(JSON.parse(second?.body ?? '')).toEqual([
        {
          message_id: 'm-1',
          event_type: 'volume.transfer.accept.end',
          generated: '2026-03-01T07:00:00.250000',
          traits: [
            ['service', 1, "it's"],
            ['size', 2, 5],
            ['at', 4, '2026-03-01T07:00:00'],
          ],
          raw: {},
        },
      ]);
    });

    it('posts one by one with batch=False, and raw payloads with raw_only', async () => {
      const { requests, port, close } = await startReceiver();
      const single = await open(`http://127.0.0.1:${port}/?batch=False`);
      const raw = await open(`http://127.0.0.1:${port}/?raw_only=True`);

      await single.publishSamples?.([sample, sample], never);
      await raw.publishEvents?.([event, { ...event, raw: { payload: { z: 1 } } }], never);
      await single.close();
      await raw.close();
      await close();

      expect(requests.map(({ body }) => JSON.parse(body)?.name ?? body)).toEqual(['cpu', 'cpu', '[{"z": 1}]']);
    });

    it.each([
      [500, true],
      [429, true],
      [400, false],
      [404, false],
    ])('rejects on status %i, to be tried again: %s', async (status, retryable) => {
      const { port, close } = await startReceiver([status]);
      const publisher = await open(`http://127.0.0.1:${port}/`);

      const publishing = publisher.publishSamples?.([sample], never);

      await expect(publishing).rejects.toMatchObject({ code: 'ERR_DELIVERY', retryable });
      await publisher.close();
      await close();
    });

    it('rejects when nobody listens', async () => {
      const { port, close } = await startReceiver();
      await close();
      const publisher = await open(`http://127.0.0.1:${port}/`);

      const publishing = publisher.publishSamples?.([sample], never);

      await expect(publishing).rejects.toMatchObject({ code: 'ERR_DELIVERY', retryable: true });
      await publisher.close();
    });
  });

  it('sends each sample as a datagram over udp, and goes on after those that cannot be sent', async () => {
    const socket = createSocket('udp4');
    const received: unknown[] = [];
    socket.on('message', (data) => received.push(decode(data)));
    await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
    const publisher = await open(`udp://127.0.0.1:${socket.address().port}`);

    const huge = { ...sample, metadata: { a: 'x'.repeat(70_000) } };
    await publisher.publishSamples?.([huge, { ...sample, volume: 2n ** 64n }, sample], never);
    await eventually(() => received.length).toBe(1);
    await publisher.close();
    socket.close();

    expect(received[0]).toMatchObject({ counter_name: 'cpu', resource_id: sample.resourceId, monotonic_time: null });
    expect(Object.keys(received[0] ?? {})).toHaveLength(15);
    expect(log.told.join()).toMatch(/could not be sent as a datagram/);
  });

  it('sends over tcp what comes before and after a sample that has no form in msgpack, and tells of that one', async () => {
    const chunks: Buffer[] = [];
    const listener = createServer((socket) => socket.on('data', (chunk) => chunks.push(chunk)));
    await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
    const { port } = listener.address() as AddressInfo;
    const publisher = await open(`tcp://127.0.0.1:${port}`);

    const publishing = publisher.publishSamples?.([sample, { ...sample, volume: 2n ** 64n }, sample], never);

    await expect(publishing).rejects.toMatchObject({ code: 'ERR_DELIVERY', retryable: false });
    await publisher.close();
    await new Promise((resolve) => listener.close(resolve));
    const data = Buffer.concat(chunks);
    const length = 8 + Number(data.readBigUInt64LE(0));
    expect(data.length).toBe(2 * length);
    expect(decode(data.subarray(length + 8))).toMatchObject({ counter_name: 'cpu' });
  });

  it('sends frames over tcp, connects anew after a cut, and says when nobody listens', async () => {
    const chunks: Buffer[] = [];
    const sockets = new Set<import('node:net').Socket>();
    const listener = createServer((socket) => {
      sockets.add(socket);
      socket.on('data', (chunk) => chunks.push(chunk));
      socket.on('error', () => {});
    });
    await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
    const { port } = listener.address() as AddressInfo;
    const publisher = await open(`tcp://127.0.0.1:${port}`);

    await publisher.publishSamples?.([sample], never);
    await eventually(() => chunks.length).toBeGreaterThan(0);
    for (const socket of sockets) socket.destroy();
    await eventually(() => listener.listening).toBe(true);
    const again = async () => {
      await publisher.publishSamples?.([sample], never);
      return sockets.size;
    };
    await eventually(() => again().catch(() => 0)).toBe(2);
    await publisher.close();
    await new Promise((resolve) => listener.close(resolve));

    const data = Buffer.concat(chunks);
    const length = Number(data.readBigUInt64LE(0));
    expect(decode(data.subarray(8, 8 + length))).toMatchObject({
      counter_volume: 123456789012,
      publisher_id: host.hostname,
    });
    const gone = await open(`tcp://127.0.0.1:${port}`);
    await expect(gone.publishSamples?.([sample], never)).rejects.toMatchObject({
      code: 'ERR_DELIVERY',
      retryable: true,
    });
    await gone.close();
  });

  it('keeps integers and floats apart in msgpack, in the shortest forms', () => {
    const hex = (value: Parameters<typeof packed>[0]) => packed(value).toString('hex');

    expect(hex({ a: 1 })).toBe('81a16101');
    expect(hex({ a: new WholeFloat(1) })).toBe('81a161cb3ff0000000000000');
    expect(hex({ a: -33 })).toBe('81a161d0df');
    expect(hex({ a: 65_536 })).toBe('81a161ce00010000');
    expect(hex({ a: -(2n ** 63n) })).toBe('81a161d38000000000000000');
    expect(() => packed({ a: 2n ** 64n })).toThrow(/64 bits/);
    const text = { é: ['x'.repeat(40), 'y'.repeat(300), 1.5, null, false, { deep: [] }] };
    expect(decode(packed(text))).toEqual(text);
  });

  it.each([
    ['file://', /expected a path/],
    ['file:///nonexistent/folder/x', /cannot be opened/],
    ['file:///tmp/x?max_bytes=lots&backup_count=2', /option max_bytes/],
    ['file:///tmp/x?colour=red', /unknown option colour/],
    ['http:///path', /expected HOST/],
    ['http://user@host/', /USER:PASSWORD/],
    ['http://host/?timeout=soon', /option timeout/],
    ['https://host/?verify_ssl=/nonexistent/ca.pem', /cannot read \/nonexistent\/ca.pem/],
    ['udp://', /expected HOST:PORT/],
    ['tcp://host:99999', /port has to be/],
    ['notifier://?policy=sometimes', /option policy: expected default, drop, queue/],
    ['notifier://?driver=zmq', /option driver/],
  ])('refuses %s and says why', async (url, reason) => {
    await expect(open(url)).rejects.toThrow(reason);
  });

  it('never shows the password of a URL', async () => {
    await expect(open('http://me:secret@host/?timeout=soon')).rejects.toThrow(/^http:\/\/me:\*\*\*@host/);
  });
});
