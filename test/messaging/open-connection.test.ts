import { mkdtempSync, rmSync } from 'node:fs';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type BrokerOptions, openConnection } from '../../src/messaging/open-connection.ts';
import { hasOpenssl, makePki } from '../helpers/pki.ts';
import { type Rabbitmq, startRabbitmq } from '../helpers/rabbitmq.ts';
import { describeWith } from '../helpers/services.ts';
import { until } from '../helpers/until.ts';

const withTls = hasOpenssl();

describeWith('rabbitmq', 'a connection to a message broker', () => {
  const folder = mkdtempSync(join(tmpdir(), 'ceilometer-pki-'));
  let broker: Rabbitmq;
  beforeAll(async () => {
    if (withTls) await makePki(folder);
    const [ca = '', cert = '', key = ''] = ['cacert.pem', 'servercert.pem', 'serverkey.pem'].map((name) =>
      join(folder, name),
    );
    broker = await startRabbitmq(withTls ? { tls: { ca, cert, key } } : {});
  });
  afterAll(async () => {
    await broker?.[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true, force: true });
  });

  function options(overTls: boolean): BrokerOptions {
    const tls = {
      caFile: join(folder, 'cacert.pem'),
      certFile: undefined,
      keyFile: undefined,
      checkHostName: true,
      version: undefined,
    };
    return {
      virtualHost: broker.vhost(),
      login: 'PLAIN',
      tls: overTls ? tls : undefined,
      heartbeat: 0,
      programName: 'test',
    };
  }

  const host = (overTls: boolean) => ({
    host: '127.0.0.1',
    port: overTls ? broker.tlsPort : broker.port,
    user: 'guest',
    password: 'guest',
  });

  const transports = withTls
    ? [['the clear', false] as const, ['TLS', true] as const]
    : [['the clear', false] as const];

  it.each(transports)('reads bodies into the memory that it is given, in %s', async (_, overTls) => {
    const taken: Buffer[] = [];
    const model = await openConnection(host(overTls), options(overTls), new AbortController().signal, (length) => {
      const body = Buffer.alloc(length);
      taken.push(body);
      return body;
    });
    const channel = await model.createChannel();
    const { queue } = await channel.assertQueue('', { exclusive: true });
    // One frame takes 131 064 bytes of them.
    const sizes = [1, 50, 16_384, 65_536, 131_064, 131_065, 900_000, 0, 300];
    const bodies = sizes.map((size, index) => Buffer.alloc(size, `${index} ${size} `));
    for (const body of bodies) channel.sendToQueue(queue, body);
    const came: Buffer[] = [];

    await channel.consume(queue, (message) => message && came.push(message.content), { noAck: true });
    await until('all came', () => came.length === bodies.length);
    await model.close();

    expect(came.map((body, index) => body.equals(bodies[index] ?? body))).toEqual(sizes.map(() => true));
    expect(came.filter(({ length }) => length > 0).every((body, index) => body === taken[index])).toBe(true);
  });

  it.each(transports)('writes the head of a message together with the body, in %s', async (_, overTls) => {
    const model = await openConnection(host(overTls), options(overTls), new AbortController().signal);
    const channel = await model.createConfirmChannel();
    const { queue } = await channel.assertQueue('', { exclusive: true });
    const { stream } = model.connection as unknown as { stream: Socket };
    const writes: number[] = [];
    const { _write: write, _writev: writev } = stream;
    stream._write = (chunk, encoding, done) => {
      writes.push(1);
      write.call(stream, chunk, encoding, done);
    };
    stream._writev = (chunks, done) => {
      writes.push(chunks.length);
      writev?.call(stream, chunks, done);
    };

    for (let count = 0; count < 20; count += 1) channel.sendToQueue(queue, Buffer.alloc(30_000));
    await channel.waitForConfirms();
    await model.close();

    expect(writes.filter((chunks) => chunks > 1)).toEqual(Array.from({ length: 20 }, () => 2));
  });

  it.each(transports)('is gone at once when its signal aborts, in %s', async (_, overTls) => {
    const life = new AbortController();
    const model = await openConnection(host(overTls), options(overTls), life.signal);
    const ended = new Promise<Error>((resolve) => model.once('error', resolve));

    life.abort(new Error('enough'));

    expect((await ended).cause).toEqual(new Error('enough'));
  });
});
