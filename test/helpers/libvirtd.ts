/**
 * A private libvirtd with QEMU in its own mount, network and process namespaces: nothing of the machine's own libvirt
 * is seen or touched, and everything it started (QEMU, bridges, taps, mounts) ends with the first process of the
 * namespaces. That one ends when this process does, however that happens.
 */
import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe } from 'vitest';
import { describeWith, has } from './services.ts';

const run = promisify(execFile);

export interface LibvirtdOptions {
  /** More lines for libvirtd.conf, e.g. `auth_unix_ro = "sasl"`. */
  readonly config?: string;
}

export interface Libvirtd {
  /** A folder for disks and the like, deleted at the end. */
  readonly folder: string;
  /** The read-only socket and the full one. */
  readonly socketRo: string;
  readonly socket: string;
  /** `qemu+unix:///system?socket=…` of the read-only socket. */
  readonly uri: string;
  /** The process id of the daemon on this machine. */
  pid(): number;
  /** Runs virsh commands on the full socket, each a list of words; answers with what it printed. */
  virsh(...commands: readonly (readonly string[])[]): Promise<string>;
  /** Runs a command inside the namespaces. */
  inside(command: string, ...args: readonly string[]): Promise<string>;
  /** Sends a signal to the QEMU process of a running domain. */
  signalDomain(name: string, signal: 'STOP' | 'CONT' | 'KILL'): Promise<void>;
  start(): Promise<void>;
  /** SIGTERM, waits for the end. Domains go on. */
  stop(): Promise<void>;
  /** SIGKILL. Domains go on. */
  kill(): Promise<void>;
  close(): Promise<void>;
}

/** Why no private libvirtd can run here although the programs are installed; undefined when it can. */
function obstacle(): string | undefined {
  if (process.getuid?.() !== 0) return 'needs root';
  const probe = spawnSync('unshare', ['--mount', '--net', '--pid', '--fork', '--mount-proc', 'true']);
  return probe.status === 0 ? undefined : 'needs namespaces';
}

/** A `describe` for tests that start libvirtd; skipped as a whole where that is not possible. */
export function describeWithLibvirtd(title: string, body: () => void): void {
  const why = has('libvirt') ? obstacle() : undefined;
  if (why === undefined) describeWith('libvirt', title, body);
  else describe.skip(`${title} (${why})`, body);
}

/**
 * Runs as the first process of the namespaces. It has to be a shell that reaps: what libvirtd started is its child
 * once libvirtd is gone, and libvirtd waits for processes that it ended to disappear.
 */
const init = `
set -e
mount --make-rprivate /
mkdir "$1/cgroup"
mount --rbind /sys/fs/cgroup "$1/cgroup"
mount -t sysfs sysfs /sys
mount --rbind "$1/cgroup" /sys/fs/cgroup
mount --bind "$1/run" /run
mount --bind "$1/lib" /var/lib/libvirt
mount --bind "$1/etc" /etc/libvirt
mount --bind "$1/cache" /var/cache
mount --bind "$1/log" /var/log
ip link set lo up
ip link add br0 type bridge
ip link set br0 up
echo ready
while read -r _; do :; done
`;

const libvirtdConf = `
auth_unix_rw = "none"
auth_unix_ro = "none"
`;

/** No cgroups: their names hold only the domain's, so that two daemons side by side would share them. */
const qemuConf = `
user = "root"
group = "root"
security_driver = "none"
dynamic_ownership = 0
remember_owner = 0
namespaces = []
cgroup_controllers = []
stdio_handler = "file"
`;

export async function startLibvirtd(options: LibvirtdOptions = {}): Promise<Libvirtd> {
  const folder = await mkdtemp(join(tmpdir(), 'libvirtd-'));
  for (const name of ['run', 'lib', 'etc/qemu', 'etc/nwfilter', 'cache/libvirt', 'log/libvirt', 'disks']) {
    await mkdir(join(folder, name), { recursive: true });
  }
  await writeFile(join(folder, 'etc/libvirtd.conf'), libvirtdConf + (options.config ?? ''));
  await writeFile(join(folder, 'etc/qemu.conf'), qemuConf);
  const namespaces = await enterNamespaces(folder);
  const daemon = new Daemon(folder, namespaces.firstPid);
  const socketRo = join(folder, 'run/libvirt/libvirt-sock-ro');
  const socket = join(folder, 'run/libvirt/libvirt-sock');
  const libvirtd: Libvirtd = {
    folder,
    socketRo,
    socket,
    uri: `qemu+unix:///system?socket=${socketRo}`,
    pid: () => daemon.pid(),
    virsh: (...commands) => virsh(socket, commands),
    inside: (command, ...args) => namespaces.inside(command, ...args),
    async signalDomain(name, signal) {
      const pid = await readFile(join(folder, `run/libvirt/qemu/${name}.pid`), 'utf8');
      await namespaces.inside('kill', `-${signal}`, pid.trim());
    },
    start: () => daemon.start(),
    stop: () => daemon.end('SIGTERM'),
    kill: () => daemon.end('SIGKILL'),
    async close() {
      await daemon.end('SIGKILL');
      await namespaces.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
  try {
    await libvirtd.start();
    return libvirtd;
  } catch (error) {
    await libvirtd.close();
    throw error;
  }
}

async function virsh(socket: string, commands: readonly (readonly string[])[]): Promise<string> {
  const script = commands
    .map((words) => words.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(' '))
    .join('; ');
  try {
    const { stdout } = await run('virsh', ['-q', '-c', `qemu+unix:///system?socket=${socket}`, script]);
    return stdout;
  } catch (error) {
    throw new Error(`virsh ${script} failed`, { cause: error });
  }
}

interface Namespaces {
  readonly firstPid: number;
  inside(command: string, ...args: readonly string[]): Promise<string>;
  close(): Promise<void>;
}

async function enterNamespaces(folder: string): Promise<Namespaces> {
  const args = [
    '--mount',
    '--net',
    '--pid',
    '--fork',
    '--kill-child',
    '--mount-proc',
    'bash',
    '-c',
    init,
    'init',
    folder,
  ];
  // The pipe to its standard input is what ends the first process when this one is gone.
  const child = spawn('unshare', args, { stdio: ['pipe', 'pipe', 'pipe'] });
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => {
    said += chunk.toString();
  });
  const [first]: unknown[] = await Promise.race([once(child.stdout, 'data'), once(child, 'exit')]);
  if (!(first instanceof Buffer)) throw new Error(`no namespaces for libvirtd: ${said}`);
  const children = await readFile(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8');
  const firstPid = Number(children.trim());
  return {
    firstPid,
    async inside(command, ...words) {
      const { stdout } = await run('nsenter', [...enter(firstPid), command, ...words]);
      return stdout;
    },
    async close() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const ended = once(child, 'exit');
      process.kill(firstPid, 'SIGKILL');
      await ended;
    },
  };
}

function enter(firstPid: number): readonly string[] {
  return ['--target', String(firstPid), '--mount', '--net', '--pid', '--'];
}

class Daemon {
  readonly #folder: string;
  readonly #firstPid: number;
  #child: ChildProcess | undefined;
  #pid = 0;

  constructor(folder: string, firstPid: number) {
    this.#folder = folder;
    this.#firstPid = firstPid;
  }

  pid(): number {
    return this.#pid;
  }

  async start(): Promise<void> {
    const sockets = ['libvirt-sock-ro', 'libvirt-sock'].map((name) => join(this.#folder, 'run/libvirt', name));
    for (const path of sockets) await rm(path, { force: true });
    const child = spawn('nsenter', [...enter(this.#firstPid), 'libvirtd', '--timeout', '0'], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    this.#child = child;
    let said = '';
    child.stderr.on('data', (chunk: Buffer) => {
      said = (said + chunk.toString()).slice(-4000);
    });
    for (let tries = 0; tries < 400; tries++) {
      if (child.exitCode !== null) throw new Error(`libvirtd ended with code ${child.exitCode}: ${said}`);
      if (sockets.every((path) => existsSync(path))) {
        // nsenter forks: libvirtd is its child, as a process changes its process namespace only by a fork.
        this.#pid = Number(await readFile(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8'));
        return;
      }
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
    throw new Error(`libvirtd does not listen after 10 s: ${said}`);
  }

  async end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    process.kill(this.#pid, signal);
    await ended;
  }
}
