/** Ways to a libvirt daemon: each gives a stream that speaks its RPC protocol from the first byte on. */
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { connect, isIP, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import { codeOf } from '../errors.ts';
import { ConnectionError } from './errors.ts';
import { connectSsh } from './transport-ssh.ts';
import type { VirtUri } from './uri.ts';
import type { PkiFiles, Transport } from './uri-parts.ts';

/** Rejects with a {@link ConnectionError} that says what is not there, or with the signal's reason. */
export function connectTransport({ transport }: VirtUri, signal: AbortSignal): Promise<Duplex> {
  switch (transport.kind) {
    case 'unix':
      return connectUnix(transport.sockets, signal);
    case 'tcp':
      return connectTcp(transport.host, transport.port, signal);
    case 'tls':
      return connectWithTls(transport, signal);
    case 'ssh':
      return Promise.resolve(connectSsh(transport));
  }
}

async function connectUnix(paths: readonly string[], signal: AbortSignal): Promise<Duplex> {
  const failures: { readonly path: string; readonly error: unknown }[] = [];
  for (const path of paths) {
    try {
      return await established(connect({ path }), 'connect', signal);
    } catch (error) {
      signal.throwIfAborted();
      failures.push({ path, error });
    }
  }
  throw unixFailure(failures);
}

/** The most telling of several failures: a socket that denies says more than one that is not there. */
function unixFailure(failures: readonly { readonly path: string; readonly error: unknown }[]): ConnectionError {
  const present = failures.filter(({ error }) => codeOf(error) !== 'ENOENT');
  const { path, error } = present.find(({ error }) => isDenied(error)) ?? present[0] ?? {};
  if (path === undefined) {
    return new ConnectionError(`there is no libvirt socket at ${failures.map((failure) => failure.path).join(' or ')}`);
  }
  if (isDenied(error)) {
    const hint = `is user ${process.geteuid?.()} in the group that owns it?`;
    return new ConnectionError(`access to the libvirt socket ${path} is denied (${hint})`, { cause: error });
  }
  if (codeOf(error) === 'ECONNREFUSED') return new ConnectionError(`nothing listens on the libvirt socket ${path}`);
  return new ConnectionError(`cannot connect to the libvirt socket ${path}`, { cause: error });
}

function isDenied(error: unknown): boolean {
  const code = codeOf(error);
  return code === 'EACCES' || code === 'EPERM';
}

async function connectTcp(host: string, port: number, signal: AbortSignal): Promise<Duplex> {
  try {
    return await established(connect({ host, port, noDelay: true }), 'connect', signal);
  } catch (error) {
    signal.throwIfAborted();
    throw new ConnectionError(`cannot connect to libvirt at ${host} port ${port}`, { cause: error });
  }
}

async function connectWithTls(transport: Transport & { kind: 'tls' }, signal: AbortSignal): Promise<Duplex> {
  const { host, port } = transport;
  const options = { host, port, ...(await tlsOptions(transport)) };
  try {
    const socket = connectTls(isIP(host) ? options : { ...options, servername: host });
    socket.setNoDelay(true);
    await established(socket, 'secureConnect', signal);
    await accepted(socket, signal);
    return socket;
  } catch (error) {
    signal.throwIfAborted();
    throw new ConnectionError(`cannot connect to libvirt over TLS at ${host} port ${port}`, { cause: error });
  }
}

async function tlsOptions({ pki, verify }: Transport & { kind: 'tls' }): Promise<ConnectionOptions> {
  const ca = await firstOf(pki, 'ca');
  if (ca === undefined && verify) {
    throw new ConnectionError(`no CA certificate for libvirt at ${pki.map((files) => files.ca).join(' or ')}`);
  }
  // The client's certificate is the server's business: whether it wants one shows in its answer.
  const cert = await firstOf(pki, 'cert');
  const key = await firstOf(pki, 'key');
  return {
    rejectUnauthorized: verify,
    ...(ca && { ca }),
    ...(cert && key && { cert, key }),
  };
}

async function firstOf(pki: readonly PkiFiles[], kind: keyof PkiFiles): Promise<Buffer | undefined> {
  for (const files of pki) {
    try {
      return await readFile(files[kind]);
    } catch (error) {
      if (codeOf(error) !== 'ENOENT') throw new ConnectionError(`cannot read ${files[kind]}`, { cause: error });
    }
  }
  return undefined;
}

async function established<S extends Socket>(socket: S, event: string, signal: AbortSignal): Promise<S> {
  try {
    // An error after this wait has a listener too, whoever takes the stream next.
    socket.on('error', () => undefined);
    await once(socket, event, { signal });
    return socket;
  } catch (error) {
    socket.destroy();
    throw error;
  }
}

/** libvirt's server says with one byte after the handshake whether it takes the client's certificate. */
async function accepted(socket: Socket, signal: AbortSignal): Promise<void> {
  const refused = new Error('the server refused the client certificate or address');
  const closed = () => socket.destroy(refused);
  try {
    socket.once('end', closed);
    const [chunk]: Buffer[] = await once(socket, 'data', { signal });
    socket.pause();
    if (chunk?.[0] !== 1) throw refused;
    if (chunk.length > 1) socket.unshift(chunk.subarray(1));
  } catch (error) {
    socket.destroy();
    throw error;
  } finally {
    socket.off('end', closed);
  }
}
