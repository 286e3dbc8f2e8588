/** The command that carries a connection through ssh. */
import { ConfigError } from '../errors.ts';
import type { Transport, UriParts } from './uri-parts.ts';
import { flag } from './uri-parts.ts';

/** Both daemons' read-only sockets; a remote machine may not know /run, but has /var/run. */
const REMOTE_SOCKET = '/var/run/libvirt/libvirt-sock-ro';

/** `ssh … host -- sh -c '…'`: an argument list for the local side, one quoted line for the remote shell. */
export function sshTransport(parts: UriParts): Transport {
  const { params, host, port, user } = parts;
  if (host.startsWith('-') || user.startsWith('-'))
    throw new ConfigError(`bad host or user in libvirt URI ${parts.text}`);
  const args = ['-T', '-e', 'none', '-o', 'BatchMode=yes'];
  if (port !== undefined) args.push('-p', String(port));
  if (user !== '') args.push('-l', user);
  const keyfile = params.get('keyfile');
  if (keyfile !== undefined) args.push('-i', keyfile);
  if (flag(parts, 'no_verify')) args.push('-o', 'StrictHostKeyChecking=no');
  args.push('--', host, `sh -c ${quote(remoteScript(parts))}`);
  return { kind: 'ssh', command: params.get('command') ?? 'ssh', args };
}

/** libvirt's helper on the other side, or netcat where the helper is not installed or a socket was named. */
function remoteScript(parts: UriParts): string {
  const { params } = parts;
  const socket = params.get('socket');
  const helper = `exec virt-ssh-helper -r ${quote(parts.name)}`;
  const netcat = netcatScript(params.get('netcat') ?? 'nc', socket ?? REMOTE_SOCKET);
  const proxy = params.get('proxy') ?? 'auto';
  switch (proxy) {
    case 'native':
      if (socket !== undefined) throw new ConfigError(`proxy=native cannot use a socket: libvirt URI ${parts.text}`);
      return helper;
    case 'netcat':
      return netcat;
    case 'auto':
      if (socket !== undefined || params.has('netcat')) return netcat;
      return `if command -v virt-ssh-helper >/dev/null 2>&1; then ${helper}; else ${netcat}; fi`;
    default:
      throw new ConfigError(`parameter proxy is auto, netcat or native in libvirt URI ${parts.text}`);
  }
}

/** Some netcats stay when their input ends unless told with -q, which others do not know. */
function netcatScript(netcat: string, socket: string): string {
  const nc = quote(netcat);
  return `if ${nc} -q 2>&1 | grep 'requires an argument' >/dev/null; then q=-q0; else q=; fi; exec ${nc} $q -U ${quote(socket)}`;
}

/** One word for a POSIX shell. */
function quote(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
