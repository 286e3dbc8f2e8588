import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer as createTlsServer, type TLSSocket } from 'node:tls';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { codeOf, describeError } from '../../src/errors.ts';
import { libvirtAnswers } from '../../src/libvirt/index.ts';
import * as procedures from '../../src/libvirt/procedures.ts';
import { openSession } from '../../src/libvirt/session.ts';
import { parseVirtUri } from '../../src/libvirt/uri.ts';
import { type FakeLibvirtd, fakeDomain, startFakeLibvirtd } from '../../src/testing/fake-libvirtd.ts';
import { eventually } from '../helpers/eventually.ts';
import { hasOpenssl, makePki } from '../helpers/pki.ts';

let folder: string;
let libvirtd: FakeLibvirtd;
const servers: Server[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'transport-'));
  libvirtd = await startFakeLibvirtd({ domains: [fakeDomain(1)] });
});

afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

afterAll(async () => {
  await libvirtd.close();
  await rm(folder, { recursive: true, force: true });
});

async function open(uri: string, timeout = 5_000) {
  const ignore = () => undefined;
  const { signal } = new AbortController();
  return openSession(parseVirtUri(uri), { timeout, signal, onDomainChanged: ignore, onClose: ignore });
}

/** The names of the domains that a session over this URI lists. */
async function namesOver(uri: string): Promise<readonly string[]> {
  const { client } = await open(uri);
  const domains = await client.call(procedures.listAllDomains, undefined, { timeout: 5_000 });
  await client.close();
  return domains.map(({ name }) => name);
}

async function failureOf(uri: string, timeout?: number): Promise<unknown> {
  return open(uri, timeout).then(
    () => undefined,
    (error: unknown) => error,
  );
}

async function listen(server: Server): Promise<number> {
  servers.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

describe('a unix socket', () => {
  it('that is not there is named', async () => {
    const error = await failureOf(`qemu+unix:///system?socket=${folder}/none`);

    expect(codeOf(error)).toBe('ERR_SERVICE');
    expect(describeError(error)).toBe(`there is no libvirt socket at ${folder}/none`);
  });

  it('that nobody listens on any more is named', async () => {
    const path = join(folder, 'stale');
    const child = promisify(execFile)(process.execPath, [
      '-e',
      `require('net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`,
    ]);
    await child.catch(() => undefined);

    expect(describeError(await failureOf(`qemu+unix:///system?socket=${path}`))).toBe(
      `nothing listens on the libvirt socket ${path}`,
    );
  });

  it.runIf(process.getuid?.() === 0)('that may not be used is told from one that is not there', async () => {
    const path = join(folder, 'private', 'sock');
    await mkdir(join(folder, 'private'), { mode: 0o700 });
    await listenOn(path);

    process.seteuid?.(65_534);
    const error = await failureOf(`qemu+unix:///system?socket=${path}`).finally(() => process.seteuid?.(0));

    expect(describeError(error)).toMatch(
      `access to the libvirt socket ${path} is denied (is user 65534 in the group that owns it?)`,
    );
  });

  async function listenOn(path: string): Promise<void> {
    const server = createServer();
    servers.push(server);
    server.listen(path);
    await once(server, 'listening');
  }

  it('that takes connections and says nothing is given up at the deadline', async () => {
    const path = join(folder, 'mute');
    await listenOn(path);

    const error = await failureOf(`qemu+unix:///system?socket=${path}`, 100);

    expect(codeOf(error)).toMatch(/ERR_SERVICE|ERR_DEADLINE/);
  });
});

describe('TCP', () => {
  it('reaches libvirt', async () => {
    const port = await listen(
      createServer((socket) => {
        socket.pipe(connect(libvirtd.socket)).pipe(socket);
      }),
    );

    expect(await namesOver(`qemu+tcp://127.0.0.1:${port}/system`)).toEqual(['instance-00000001']);
  });

  it('without a server there names host and port', async () => {
    const port = await listen(createServer());
    for (const server of servers.splice(0)) await new Promise((resolve) => server.close(resolve));

    const error = await failureOf(`qemu+tcp://127.0.0.1:${port}/system`);

    expect(describeError(error)).toMatch(`cannot connect to libvirt at 127.0.0.1 port ${port}: connect ECONNREFUSED`);
  });
});

describe.runIf(hasOpenssl())('TLS', () => {
  beforeAll(() => makePki(folder));

  /** A server in front of libvirtd that says after the handshake whether it takes the client. */
  async function tlsServer(verdict: number): Promise<number> {
    const [ca, cert, key] = await Promise.all(
      ['cacert', 'servercert', 'serverkey'].map((name) => readFile(join(folder, `${name}.pem`))),
    );
    return listen(
      createTlsServer({ ca, cert, key, requestCert: true, rejectUnauthorized: true }, (socket: TLSSocket) => {
        socket.on('error', () => undefined);
        socket.write(Buffer.from([verdict]));
        socket.pipe(connect(libvirtd.socket)).pipe(socket);
      }),
    );
  }

  it('reaches libvirt with the certificates of the folder', async () => {
    const port = await tlsServer(1);

    expect(await namesOver(`qemu+tls://127.0.0.1:${port}/system?pkipath=${folder}`)).toEqual(['instance-00000001']);
    expect(await namesOver(`qemu+tls://localhost:${port}/system?pkipath=${folder}`)).toEqual(['instance-00000001']);
  });

  it('tells when the server refuses the client', async () => {
    const port = await tlsServer(0);

    const error = await failureOf(`qemu+tls://127.0.0.1:${port}/system?pkipath=${folder}`);

    expect(describeError(error)).toBe(
      `cannot connect to libvirt over TLS at 127.0.0.1 port ${port}: the server refused the client certificate or address`,
    );
  });

  it('does not trust a server of another CA unless told not to look', async () => {
    const port = await tlsServer(1);
    const other = join(folder, 'other');
    await mkdir(other);
    await makePki(other);
    for (const name of ['clientcert.pem', 'clientkey.pem'])
      await writeFile(join(other, name), await readFile(join(folder, name)));

    const error = await failureOf(`qemu+tls://127.0.0.1:${port}/system?pkipath=${other}`);
    const names = await namesOver(`qemu+tls://127.0.0.1:${port}/system?pkipath=${other}&no_verify=1`);

    expect(describeError(error)).toMatch(/cannot connect to libvirt over TLS at 127.0.0.1 port \d+: .*certificate/);
    expect(names).toEqual(['instance-00000001']);
  });

  it('names the CA certificate that is not there', async () => {
    const error = await failureOf(`qemu+tls://127.0.0.1:1/system?pkipath=${folder}/none`);

    expect(describeError(error)).toBe(`no CA certificate for libvirt at ${folder}/none/cacert.pem`);
  });
});

describe('ssh', () => {
  /** A command that stands in for ssh. */
  async function command(name: string, script: string): Promise<string> {
    const path = join(folder, name);
    await writeFile(path, `#!${process.execPath}\n${script}`);
    await chmod(path, 0o755);
    return path;
  }

  it('reaches libvirt through the standard input and output of the command', async () => {
    const said = join(folder, 'arguments.json');
    const ssh = await command(
      'ssh',
      `require('fs').writeFileSync(${JSON.stringify(said)}, JSON.stringify(process.argv.slice(2)));
       const socket = require('net').connect(${JSON.stringify(libvirtd.socket)});
       process.stdin.pipe(socket).pipe(process.stdout);`,
    );

    const names = await namesOver(`qemu+ssh://me@cn1/system?command=${ssh}`);

    expect(names).toEqual(['instance-00000001']);
    expect(JSON.parse(await readFile(said, 'utf8'))).toEqual(expect.arrayContaining(['-l', 'me', '--', 'cn1']));
  });

  it('tells what the command said when it fails', async () => {
    const ssh = await command(
      'denied',
      `console.error('Warning: added key\\nme@cn1: Permission denied (publickey).'); process.exit(255)`,
    );

    const error = await failureOf(`qemu+ssh://cn1/system?command=${ssh}`);

    expect(codeOf(error)).toBe('ERR_SERVICE');
    expect(describeError(error)).toContain(`${ssh} ended with code 255: me@cn1: Permission denied (publickey).`);
  });

  it('tells when there is no such command', async () => {
    const error = await failureOf(`qemu+ssh://cn1/system?command=${folder}/none`);

    expect(describeError(error)).toContain(`cannot run ${folder}/none`);
  });

  it('leaves no process behind', async () => {
    const ssh = await command(
      'stays',
      `setInterval(() => undefined, 1000); require('fs').writeFileSync(${JSON.stringify(join(folder, 'pid'))}, String(process.pid))`,
    );

    await failureOf(`qemu+ssh://cn1/system?command=${ssh}`, 1_000);
    const pid = Number(await readFile(join(folder, 'pid'), 'utf8'));

    await eventually(() => isRunning(pid)).toBe(false);
  });

  function isRunning(pid: number): boolean {
    try {
      return process.kill(pid, 0);
    } catch {
      return false;
    }
  }
});

describe('authentication', () => {
  it('of a kind that is not supported is named', async () => {
    const server = await startFakeLibvirtd({ auth: [1] });

    const error = await failureOf(server.uri);
    await server.close();

    expect(describeError(error)).toBe(
      `libvirt at ${server.uri} wants SASL authentication, which is not supported (use the read-only socket, ssh, or TLS with client certificates)`,
    );
  });

  it('by polkit is asked for, and its refusal is told', async () => {
    const server = await startFakeLibvirtd({ auth: [2] });
    server.react((call) =>
      call.procedure === procedures.authPolkit.number
        ? { kind: 'error', number: 45, message: 'authentication failed: access denied by policy' }
        : undefined,
    );

    const error = await failureOf(server.uri);
    await server.close();

    expect(describeError(error)).toBe(
      `libvirt at ${server.uri} wants polkit authentication and did not grant it: authentication failed: access denied by policy`,
    );
  });

  it('by polkit that is granted goes on', async () => {
    const server = await startFakeLibvirtd({ auth: [2], domains: [fakeDomain(3)] });
    const granted = Buffer.from('00000001', 'hex');
    server.react((call) =>
      call.procedure === procedures.authPolkit.number ? { kind: 'payload', payload: granted } : undefined,
    );

    const names = await namesOver(server.uri);
    await server.close();

    expect(names).toEqual(['instance-00000003']);
  });
});

describe('the question whether libvirt answers', () => {
  it('is answered by an opened connection, which is not kept', async () => {
    expect(await libvirtAnswers(libvirtd.uri, 5_000)).toBe(true);
    await eventually(() => libvirtd.connections).toBe(0);
  });

  it('is no for a socket that is not there, and an error for a URI that cannot be', async () => {
    expect(await libvirtAnswers(`qemu+unix:///system?socket=${folder}/none`, 5_000)).toBe(false);
    await expect(libvirtAnswers('nonsense', 5_000)).rejects.toMatchObject({ code: 'ERR_CONFIG' });
  });
});
