import { once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { codeOf, describeError } from '../../src/errors.ts';
import { LibvirtClient } from '../../src/libvirt/client.ts';
import { ConnectionError } from '../../src/libvirt/errors.ts';
import * as procedures from '../../src/libvirt/procedures.ts';
import type { Message } from '../../src/libvirt/rpc.ts';
import { type FakeLibvirtd, fakeDomain, type Reaction, startFakeLibvirtd } from '../../src/testing/fake-libvirtd.ts';
import { eventually } from '../helpers/eventually.ts';

const calls = { timeout: 5_000 };
const patient = { timeout: 60_000 };

let server: FakeLibvirtd;
let client: LibvirtClient;
let ended: ConnectionError[];
let events: Message[];

beforeEach(async () => {
  server = await startFakeLibvirtd({ domains: [fakeDomain(1), fakeDomain(2)] });
  client = await open();
});

afterEach(async () => {
  await client.close();
  await server.close();
});

async function open(keepAliveInterval = 60_000): Promise<LibvirtClient> {
  const stream = connect(server.socket);
  await once(stream, 'connect');
  ended = [];
  events = [];
  return new LibvirtClient(stream, {
    server: 'libvirt at test',
    keepAliveInterval,
    onEvent: (message) => events.push(message),
    onClose: (error) => ended.push(error),
  });
}

/** Has one kind of call misbehave. */
function spoil(procedure: { readonly number: number }, reaction: Reaction): void {
  server.react((call) => (call.procedure === procedure.number ? reaction : undefined));
}

function version() {
  return client.call(procedures.libVersion, undefined, calls);
}

describe('calls', () => {
  it('may overlap and be answered out of order', async () => {
    const domains = [...server.domains.values()];

    const answers = await Promise.all([
      version(),
      ...domains.map((domain) => client.call(procedures.domainXml, domain, calls)),
      client.call(procedures.listAllDomains, undefined, calls),
    ]);

    expect(answers).toEqual([
      9_000_000n,
      domains[0]?.xml,
      domains[1]?.xml,
      [expect.objectContaining({ name: 'instance-00000001' }), expect.objectContaining({ name: 'instance-00000002' })],
    ]);
  });

  it('reject with what libvirt said, and the connection goes on', async () => {
    const unknown = { name: 'gone', uuid: '00000000-0000-4000-8000-00000000ffff', id: -1 };

    const call = client.call(procedures.domainXml, unknown, calls);

    await expect(call).rejects.toMatchObject({ code: 'ERR_SERVICE', number: 42, message: 'Domain not found' });
    await expect(version()).resolves.toBe(9_000_000n);
  });

  it('that are not answered in time reject alone; a late answer is dropped and the connection goes on', async () => {
    spoil(procedures.listAllDomains, { kind: 'silence' });

    const late = client.call(procedures.listAllDomains, undefined, { timeout: 50 });

    await expect(late).rejects.toMatchObject({
      code: 'ERR_SERVICE',
      message: 'no answer to list of domains from libvirt at test in 0.05 s',
    });
    expect(client.abandoned).toBe(1);
    await expect(version()).resolves.toBe(9_000_000n);
    server.answerSilenced();
    await eventually(() => client.abandoned).toBe(0);
    expect(ended).toEqual([]);
  });

  it('reject with the reason of a signal that aborts, before or during the call', async () => {
    spoil(procedures.listAllDomains, { kind: 'silence' });
    const controller = new AbortController();
    const reason = new Error('enough');

    const during = client.call(procedures.listAllDomains, undefined, { ...calls, signal: controller.signal });
    await eventually(() => server.count(procedures.listAllDomains)).toBe(1);
    controller.abort(reason);
    const after = client.call(procedures.listAllDomains, undefined, { ...calls, signal: controller.signal });

    await expect(during).rejects.toBe(reason);
    await expect(after).rejects.toBe(reason);
    expect(server.count(procedures.listAllDomains)).toBe(1);
  });

  it('with an answer that makes no sense reject alone', async () => {
    spoil(procedures.listAllDomains, { kind: 'payload', payload: Buffer.from('ffffffff00000001', 'hex') });

    const error = await client.call(procedures.listAllDomains, undefined, calls).catch((caught: unknown) => caught);

    expect(codeOf(error)).toBe('ERR_SERVICE');
    expect(describeError(error)).toBe(
      'cannot understand the answer to list of domains from libvirt at test: length 4294967295 at offset 0 is over the limit of 16384',
    );
    await expect(version()).resolves.toBe(9_000_000n);
  });

  it('with bytes left over in the answer reject', async () => {
    spoil(procedures.libVersion, { kind: 'payload', payload: Buffer.alloc(12) });

    await expect(version()).rejects.toThrow('cannot understand the answer to version query');
  });
});

describe('a connection', () => {
  it.each([
    ['text that is no RPC', Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n'), 'message of 1213486160 bytes announced'],
    ['a message of another program', message({ program: 7 }), 'program 0x7'],
    ['a message of another version', message({ version: 2 }), 'protocol version 2'],
    [
      'a reply to a call that was not made',
      message({ serial: 4_000 }),
      'reply to call 4000 of procedure 66, which was not made',
    ],
    [
      'a reply of another procedure than the call',
      message({ serial: 2 }),
      'reply to call 2 of procedure 66, which was not made',
    ],
    ['a message of an unknown type', message({ type: 9 }), 'message of type 9'],
    [
      'a message that is shorter than its header',
      Buffer.from('0000000400000000', 'hex'),
      'message of 4 bytes announced',
    ],
  ])('ends with one error for all calls when it gets %s', async (_title, bytes, what) => {
    const reply: Reaction = { kind: 'bytes', bytes };
    server.react((call) => (call.procedure === procedures.libVersion.number ? reply : { kind: 'silence' }));

    const results = await Promise.allSettled([
      client.call(procedures.listAllDomains, undefined, patient),
      client.call(procedures.libVersion, undefined, patient),
    ]);

    const [first, second] = results.map((result) => (result.status === 'rejected' ? result.reason : undefined));
    expect(first).toBeInstanceOf(ConnectionError);
    expect(second).toBe(first);
    expect(describeError(first)).toBe(`cannot understand libvirt at test: ${what}`);
    expect(ended).toEqual([first]);
    expect(client.closed).toBe(true);
  });

  it('that is closed after half a message says so to all calls', async () => {
    server.react((call) => ({ kind: call.procedure === procedures.libVersion.number ? 'half' : 'silence' }));

    const other = client.call(procedures.listAllDomains, undefined, patient);
    const call = client.call(procedures.libVersion, undefined, patient);

    await expect(call).rejects.toThrow('connection closed within a message by libvirt at test');
    await expect(other).rejects.toThrow('connection closed within a message by libvirt at test');
  });

  it('that is closed between messages says so, and refuses further calls with the same error', async () => {
    const pending = client.call(procedures.libVersion, undefined, patient);
    spoil(procedures.libVersion, { kind: 'hang-up' });

    const error = await pending.catch((caught: unknown) => caught);

    expect(codeOf(error)).toBe('ERR_SERVICE');
    await expect(version()).rejects.toBe(error);
  });

  it('hands on events', async () => {
    await client.call(procedures.registerDomainEvent, 0, calls);

    server.emit('lifecycle', fakeDomain(1));

    await eventually(() => events.map(({ procedure }) => procedure)).toEqual([318]);
  });

  it("answers the server's questions for a sign of life", async () => {
    await version();

    await expect(server.ping()).resolves.toBeUndefined();
  });

  it('lives on while the server gives signs of life, and ends when it gives none', async () => {
    await client.close();
    client = await open(20);
    client.startKeepAlive();
    const idle = new Promise((resolve) => setTimeout(resolve, 300));
    await idle;
    const aliveWhileAnswered = !client.closed;

    server.answerPings(false);

    await eventually(() => ended[0]?.message).toBe('no sign of life from libvirt at test');
    expect(aliveWhileAnswered).toBe(true);
  });
});

describe('closing', () => {
  it('says goodbye, once, however often it is asked to', async () => {
    await Promise.all([client.close(), client.close()]);
    await client.close();

    expect(server.count(procedures.close)).toBe(1);
    expect(ended).toHaveLength(1);
    await eventually(() => server.connections).toBe(0);
  });

  it('ends the calls under way and does not wait for a server that does not answer', async () => {
    server.react(() => ({ kind: 'silence' }));
    const pending = client.call(procedures.listAllDomains, undefined, patient);
    const rejected = expect(pending).rejects.toThrow('connection to libvirt at test was closed');

    await client.close();

    await rejected;
  });

  it('after the connection broke does nothing', async () => {
    server.drop();
    await eventually(() => ended).toHaveLength(1);

    await client.close();

    expect(ended).toHaveLength(1);
  });
});

/** A reply to a version query that nobody made, but for the given words. */
function message(words: { program?: number; version?: number; type?: number; serial?: number }): Buffer {
  const { program = 0x20008086, version: protocol = 1, type = 1, serial = 0 } = words;
  const bytes = Buffer.alloc(28);
  [28, program, protocol, 66, type, serial, 0].forEach((word, index) => {
    bytes.writeUInt32BE(word, index * 4);
  });
  return bytes;
}
