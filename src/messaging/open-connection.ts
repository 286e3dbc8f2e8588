/** One attempt to connect to one host of a broker. */
import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { OnReadOpts } from 'node:net';
import type { ChannelModel, SocketOptions } from 'amqplib';
import { ConfigError } from '../errors.ts';
import { untilAborted } from '../util/scope.ts';
import { amqplibInside } from './amqplib-inside.ts';
import { sendFramesInPlace } from './body-frame.ts';
import { readInPlace } from './read-in-place.ts';
import type { BrokerHost } from './transport-url.ts';
import { writeTogether } from './write-together.ts';

export interface TlsOptions {
  /** Without one the broker is not checked, as in oslo.messaging. */
  readonly caFile: string | undefined;
  readonly certFile: string | undefined;
  readonly keyFile: string | undefined;
  readonly checkHostName: boolean;
  /** The only version allowed. */
  readonly version: 'TLSv1' | 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3' | undefined;
}

export interface BrokerOptions {
  readonly virtualHost: string;
  readonly login: 'PLAIN' | 'AMQPLAIN' | 'EXTERNAL';
  /** Absent means a connection in the clear. */
  readonly tls: TlsOptions | undefined;
  /** Seconds; 0 turns heartbeats off. */
  readonly heartbeat: number;
  /** Shown by the broker, followed by the process id and a UUID. */
  readonly programName: string;
}

/**
 * Connects and logs in. When the signal aborts, the socket is gone at once, then or at any later time. `takeBody` gives
 * memory for the body of a message that comes.
 */
export async function openConnection(
  host: BrokerHost,
  options: BrokerOptions,
  signal: AbortSignal,
  takeBody: (length: number) => Buffer = Buffer.allocUnsafeSlow,
): Promise<ChannelModel> {
  // An agent has begun to poll before this is loaded.
  const { connect, credentials } = await import('amqplib');
  const inside = amqplibInside();
  const tls = options.tls === undefined ? {} : await tlsOptions(options.tls);
  signal.throwIfAborted();
  const reading = inside.decodeFrame && readInPlace(inside.decodeFrame, takeBody);
  const name = `${options.programName}:${process.pid}:${randomUUID()}`;
  const socketOptions: SocketOptions & { readonly signal?: AbortSignal; readonly onread?: OnReadOpts } = {
    noDelay: true,
    keepAlive: true,
    credentials: credentialsOf(host, options.login, credentials),
    clientProperties: { connection_name: name },
    signal,
    ...(reading && { onread: reading.onread }),
    ...tls,
  };
  // amqplib hands a connection out after it has read everything that came with `connection.open-ok`. A
  // `connection.close` among that would find no listener, and be thrown out of an event that nobody can catch.
  let fault: Error | undefined;
  const note = (error = new Error('the broker closed the connection')) => {
    fault ??= error;
  };
  using _opening = inside.onOpening(name, (connection) => {
    connection.on('error', note);
    connection.on('close', note);
    reading?.serve(connection);
  });
  const connecting = connect(
    {
      protocol: options.tls === undefined ? 'amqp' : 'amqps',
      hostname: host.host,
      port: host.port,
      // amqplib decodes it once more.
      vhost: encodeURIComponent(options.virtualHost),
      heartbeat: options.heartbeat,
    },
    socketOptions,
  );
  const model = await untilAborted(connecting, signal);
  if (fault !== undefined) throw fault;
  sendFramesInPlace(model);
  writeTogether(model);
  return model;
}

function credentialsOf(
  { user, password }: BrokerHost,
  login: BrokerOptions['login'],
  credentials: typeof import('amqplib').credentials,
) {
  if (login === 'EXTERNAL') return credentials.external();
  return login === 'PLAIN' ? credentials.plain(user, password) : credentials.amqplain(user, password);
}

/** Reads the files anew each time: certificates are replaced while the agent runs. */
async function tlsOptions(tls: TlsOptions): Promise<SocketOptions> {
  const [ca, cert, key] = await Promise.all([
    readIfNamed(tls.caFile, 'ssl_ca_file'),
    readIfNamed(tls.certFile, 'ssl_cert_file'),
    readIfNamed(tls.keyFile, 'ssl_key_file'),
  ]);
  return {
    ...(ca !== undefined && { ca }),
    ...(cert !== undefined && { cert }),
    ...(key !== undefined && { key }),
    ...(tls.version !== undefined && { minVersion: tls.version, maxVersion: tls.version }),
    ...(!tls.checkHostName && { checkServerIdentity: () => undefined }),
    rejectUnauthorized: ca !== undefined,
  };
}

async function readIfNamed(file: string | undefined, option: string): Promise<Buffer | undefined> {
  if (file === undefined) return undefined;
  try {
    return await readFile(file);
  } catch (error) {
    throw new ConfigError(`cannot read [oslo_messaging_rabbit] ${option}`, { cause: error });
  }
}
