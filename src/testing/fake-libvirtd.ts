/** A scripted libvirtd that speaks real RPC over a unix socket: it counts the calls and misbehaves on demand. */
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DRIVER_CLOSED, LIFECYCLE, XML_EVENTS } from '../libvirt/events.ts';
import * as procedures from '../libvirt/procedures.ts';
import {
  type DomainRef,
  KEEPALIVE_PING,
  KEEPALIVE_PONG,
  KEEPALIVE_PROGRAM,
  type Message,
  MessageSplitter,
  writeDomainRef,
} from '../libvirt/rpc.ts';
import { XdrReader } from '../libvirt/xdr.ts';
import type { FakeCall, FakeDomain } from './fake-libvirtd-wire.ts';
import { decodeCall, domainEvent, errorReply, event, keepAlive, reply, statsPayload } from './fake-libvirtd-wire.ts';

export { type FakeCall, type FakeDomain, fakeDomain, type ParamValue, statsPayload } from './fake-libvirtd-wire.ts';

/**
 * What the server does with a call instead of answering it. Silence can be ended: see {@link
 * FakeLibvirtd.answerSilenced}.
 */
export type Reaction = { readonly kind: 'silence' } | Misbehaviour;

type Misbehaviour =
  | { readonly kind: 'error'; readonly number: number; readonly message: string }
  /** A reply whose payload is these bytes. */
  | { readonly kind: 'payload'; readonly payload: Buffer }
  /** These bytes instead of a reply. */
  | { readonly kind: 'bytes'; readonly bytes: Buffer }
  /** Half of the reply, then the end of the connection. */
  | { readonly kind: 'half' }
  | { readonly kind: 'hang-up' };

/** A server that listens on a socket of its own in a temporary folder until it is closed. */
export interface FakeLibvirtd {
  readonly socket: string;
  /** What to put into `[DEFAULT] libvirt_uri`. */
  readonly uri: string;
  /** By UUID. Change it and emit an event, as libvirtd would. */
  readonly domains: Map<string, FakeDomain>;
  /** The calls made so far, oldest first. */
  readonly calls: readonly FakeCall[];
  /** Number of open connections. */
  readonly connections: number;
  /** How many calls of a procedure were made since the last {@link forgetCalls}. */
  count(procedure: { readonly number: number }): number;
  forgetCalls(): void;
  /** Decides over each call from now on; undefined answers it properly. */
  react(rule: (call: FakeCall) => Reaction | undefined): void;
  /**
   * Sends an event (`lifecycle`, `device-added`, …) to every connection that registered for it; the numbers are what a
   * lifecycle event tells.
   */
  emit(event: string, domain: DomainRef, ...numbers: readonly number[]): void;
  /** Tells every connection that the hypervisor driver is gone, as a proxy daemon does. */
  loseDriver(): void;
  /** Answers now what was met with silence before. */
  answerSilenced(): void;
  /** Whether keep-alive pings are answered; they are until told otherwise. */
  answerPings(answer: boolean): void;
  /** Sends a keep-alive ping; resolves with the next answer to one. */
  ping(): Promise<void>;
  /** Ends all connections, goes on listening. */
  drop(): void;
  close(): Promise<void>;
}

const eventKinds = [LIFECYCLE, ...XML_EVENTS];

export interface FakeOptions {
  readonly domains?: readonly FakeDomain[];
  /** False for a driver without events. */
  readonly events?: boolean;
  /** Types of authentication that it wants, 0 for none. */
  readonly auth?: readonly number[];
  /** False to keep no list of the calls, which grows with each. */
  readonly keepCalls?: boolean;
}

/**
 * Starts a server that answers what the agent asks of libvirt, in real bytes over a unix socket.
 *
 * ```ts
 * const server = await startFakeLibvirtd({ domains: [novaDomain(1), novaDomain(2)] });
 * server.react(({ domains }) => (domains.some(({ id }) => id === 2) ? { kind: 'silence' } : undefined));
 * ```
 */
export async function startFakeLibvirtd(options: FakeOptions = {}): Promise<FakeLibvirtd> {
  const folder = await mkdtemp(join(tmpdir(), 'fake-libvirtd-'));
  const socket = join(folder, 'libvirt-sock');
  const clients = new Map<Socket, Client>();
  const domains = new Map((options.domains ?? []).map((domain) => [domain.uuid, domain]));
  let calls: FakeCall[] = [];
  let rule: (call: FakeCall) => Reaction | undefined = () => undefined;
  let silenced: (() => void)[] = [];
  let pongs = true;
  let pong: () => void = () => undefined;
  const server = createServer((stream) => {
    const client: Client = { stream, events: new Set() };
    clients.set(stream, client);
    const splitter = new MessageSplitter();
    stream.on('error', () => undefined);
    stream.on('close', () => clients.delete(stream));
    stream.on('data', (chunk: Buffer) => {
      for (const message of splitter.push(chunk)) receive(client, message);
    });
  });

  function receive(client: Client, message: Message): void {
    if (message.program === KEEPALIVE_PROGRAM) {
      if (message.procedure === KEEPALIVE_PONG) pong();
      else if (pongs) client.stream.write(keepAlive(KEEPALIVE_PONG));
      return;
    }
    const call = decodeCall(message);
    if (options.keepCalls !== false) calls.push(call);
    const reaction = rule(call);
    if (reaction?.kind === 'silence') silenced.push(() => client.stream.write(answer(client, message, call)));
    else if (reaction !== undefined) misbehave(client, message, reaction);
    else client.stream.write(answer(client, message, call));
  }

  function misbehave(client: Client, message: Message, reaction: Misbehaviour): void {
    const { stream } = client;
    switch (reaction.kind) {
      case 'error':
        stream.write(errorReply(message, reaction.number, reaction.message));
        return;
      case 'payload':
        stream.write(reply(message, (writer) => writer.fixedOpaque(reaction.payload)));
        return;
      case 'bytes':
        stream.write(reaction.bytes);
        return;
      case 'half': {
        const whole = reply(message, (writer) => writer.string('half of this'));
        stream.end(whole.subarray(0, whole.length / 2));
        return;
      }
      case 'hang-up':
        stream.destroy();
        return;
    }
  }

  function answer(client: Client, message: Message, call: FakeCall): Buffer {
    const [first] = call.domains;
    switch (call.procedure) {
      case procedures.authList.number:
        return reply(message, (writer) => writer.array(options.auth ?? [0], (type) => writer.int(type)));
      case procedures.supportsFeature.number:
        return reply(message, (writer) => writer.int(1));
      case procedures.libVersion.number:
        return reply(message, (writer) => writer.uhyper(9_000_000n));
      case procedures.listAllDomains.number: {
        const list = [...domains.values()];
        return reply(message, (writer) => writer.array(list, (ref) => writeDomainRef(writer, ref)).uint(list.length));
      }
      case procedures.domainXml.number: {
        const domain = domains.get(first?.uuid ?? '');
        if (domain === undefined) return errorReply(message, 42, 'Domain not found');
        return reply(message, (writer) => writer.string(domain.xml));
      }
      case procedures.allDomainStats.number: {
        const known = call.domains.flatMap((domain) => domains.get(domain.uuid) ?? []);
        return reply(message, (writer) => writer.fixedOpaque(statsPayload(known, call.groups)));
      }
      case procedures.blockInfo.number:
        return reply(message, (writer) => writer.uhyper(1n).uhyper(2n).uhyper(3n));
      case procedures.registerDomainEvent.number:
        if (options.events === false) return errorReply(message, 3, 'no events');
        client.events.add(new XdrReader(message.payload).int());
        return reply(message, (writer) => writer.int(client.events.size));
      default:
        return reply(message);
    }
  }

  server.listen(socket);
  await once(server, 'listening');
  return {
    socket,
    uri: `qemu+unix:///system?socket=${socket}`,
    domains,
    get calls() {
      return calls;
    },
    get connections() {
      return clients.size;
    },
    count: ({ number }) => calls.filter((call) => call.procedure === number).length,
    forgetCalls() {
      calls = [];
    },
    react(next) {
      rule = next;
    },
    emit(name, domain, ...numbers) {
      const kind = eventKinds.find((candidate) => candidate.name === name);
      if (kind === undefined) throw new Error(`no event is called ${name}`);
      const listeners = [...clients.values()].filter((client) => client.events.has(kind.id));
      for (const { stream } of listeners) stream.write(domainEvent(kind.procedure, domain, numbers));
    },
    loseDriver() {
      for (const { stream } of clients.values()) stream.write(event(DRIVER_CLOSED, (writer) => writer.int(1)));
    },
    answerSilenced() {
      for (const send of silenced) send();
      silenced = [];
    },
    answerPings(answer) {
      pongs = answer;
    },
    ping() {
      const answered = new Promise<void>((resolve) => {
        pong = resolve;
      });
      for (const { stream } of clients.values()) stream.write(keepAlive(KEEPALIVE_PING));
      return answered;
    },
    drop() {
      for (const { stream } of clients.values()) stream.destroy();
    },
    async close() {
      for (const { stream } of clients.values()) stream.destroy();
      const closed = once(server, 'close');
      server.close();
      await closed;
      await rm(folder, { recursive: true, force: true });
    },
  };
}

interface Client {
  readonly stream: Socket;
  /** Numbers of the events it registered for. */
  readonly events: Set<number>;
}
