/** From a URI to an open connection: way there, authentication, the hypervisor driver, events. */
import { scope, untilAborted } from '../util/scope.ts';
import { LibvirtClient } from './client.ts';
import { ConnectionError, LibvirtError } from './errors.ts';
import { DRIVER_CLOSED, eventDomain, LIFECYCLE, type LifecycleEvent, lifecycleEvent, XML_EVENTS } from './events.ts';
import * as procedures from './procedures.ts';
import type { DomainRef } from './rpc.ts';
import { connectTransport } from './transport.ts';
import type { VirtUri } from './uri.ts';

export interface SessionOptions {
  /** Milliseconds for the whole of the opening. */
  readonly timeout: number;
  readonly signal: AbortSignal;
  /** The domain's XML is no longer what it was. Left out, no events are asked for. */
  readonly onDomainChanged?: (domain: DomainRef) => void;
  /** Called after {@link onDomainChanged} for the same event, and only once the session is open. */
  onLifecycle?(event: LifecycleEvent): void;
  /** Called once, after the session was open. */
  onClose(error: ConnectionError): void;
}

/** One open connection. */
export interface Session {
  readonly client: LibvirtClient;
  /** libvirt's version as people write it, `9.0.0`. */
  readonly version: string;
  /** True when the server tells of every change of a domain. */
  readonly events: boolean;
}

/** Connects and opens, or rejects with why not; nothing is left behind then. */
export async function openSession(uri: VirtUri, options: SessionOptions): Promise<Session> {
  const server = serverName(uri);
  using limit = scope(options.signal, options.timeout, `connection to ${server}`);
  const { signal } = limit;
  const stream = await connectTransport(uri, signal);
  let opened = false;
  const client = new LibvirtClient(stream, {
    server,
    onEvent: (message) => {
      if (message.procedure === DRIVER_CLOSED)
        client.destroy(new ConnectionError(`${server} lost its hypervisor driver`));
      const domain = eventDomain(message);
      if (domain !== undefined) options.onDomainChanged?.(domain);
      if (!opened || options.onLifecycle === undefined) return;
      const lifecycle = lifecycleEvent(message);
      if (lifecycle !== undefined) options.onLifecycle(lifecycle);
    },
    onClose: (error) => {
      if (opened) options.onClose(error);
    },
  });
  const calls = { timeout: options.timeout, signal };
  try {
    const session = await untilAborted(open(client, uri, calls, options.onDomainChanged !== undefined), signal);
    opened = true;
    return session;
  } catch (error) {
    client.destroy(new ConnectionError(`connection to ${server} was given up`));
    throw error;
  }
}

export function serverName(uri: VirtUri): string {
  return `libvirt at ${uri.text}`;
}

interface Calls {
  readonly timeout: number;
  readonly signal: AbortSignal;
}

async function open(client: LibvirtClient, uri: VirtUri, calls: Calls, withEvents: boolean): Promise<Session> {
  await authenticate(client, uri, calls);
  const keepAlive = await client.call(procedures.supportsFeature, procedures.FEATURE.PROGRAM_KEEPALIVE, calls);
  if (keepAlive) client.startKeepAlive();
  await client.call(procedures.open, { name: uri.name, flags: procedures.OPEN_READ_ONLY }, calls);
  const version = await client.call(procedures.libVersion, undefined, calls);
  await watchDriver(client, calls);
  return { client, version: versionText(version), events: withEvents && (await registerEvents(client, calls)) };
}

/** Only a daemon between us and the driver's has an end of it to tell of; the others refuse. */
async function watchDriver(client: LibvirtClient, calls: Calls): Promise<void> {
  const supported = await client.call(procedures.supportsFeature, procedures.FEATURE.REMOTE_CLOSE_CALLBACK, calls);
  if (supported) await orRefused(client.call(procedures.registerCloseCallback, undefined, calls));
}

async function authenticate(client: LibvirtClient, uri: VirtUri, calls: Calls): Promise<void> {
  const types = await client.call(procedures.authList, undefined, calls);
  if (types.includes(procedures.AUTH.NONE)) return;
  if (!types.includes(procedures.AUTH.POLKIT)) {
    const wanted = types.map((type) => (type === procedures.AUTH.SASL ? 'SASL' : `type ${type}`)).join(' or ');
    const advice = 'use the read-only socket, ssh, or TLS with client certificates';
    throw new ConnectionError(`${serverName(uri)} wants ${wanted} authentication, which is not supported (${advice})`);
  }
  const complete = await client.call(procedures.authPolkit, undefined, calls).catch((error: unknown) => {
    throw new ConnectionError(`${serverName(uri)} wants polkit authentication and did not grant it`, { cause: error });
  });
  if (!complete) throw new ConnectionError(`${serverName(uri)} wants more than polkit authentication`);
}

/** False when the driver has no events, or too few of them to rely on. */
async function registerEvents(client: LibvirtClient, calls: Calls): Promise<boolean> {
  const byCallback = await client.call(procedures.supportsFeature, procedures.FEATURE.REMOTE_EVENT_CALLBACK, calls);
  if (!byCallback) return false;
  if (!(await register(client, LIFECYCLE.id, calls))) return false;
  for (const event of XML_EVENTS) await register(client, event.id, calls);
  return true;
}

/** An older server does not know every event. */
function register(client: LibvirtClient, event: number, calls: Calls): Promise<boolean> {
  return orRefused(client.call(procedures.registerDomainEvent, event, calls));
}

/** False when libvirt refuses the call. */
async function orRefused(call: Promise<unknown>): Promise<boolean> {
  try {
    await call;
    return true;
  } catch (error) {
    if (error instanceof LibvirtError) return false;
    throw error;
  }
}

function versionText(version: bigint): string {
  return `${version / 1_000_000n}.${(version / 1000n) % 1000n}.${version % 1000n}`;
}
