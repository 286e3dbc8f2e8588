/**
 * A private systemd as the first process of namespaces and of a control group of its own. Its root is made of this
 * machine's `/usr` under a writable layer, with the package as `npm install --global` leaves it there and the units
 * where an operator puts them. All of it ends with this process, however that happens.
 */
import { execFile, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { closeSync, existsSync, openSync } from 'node:fs';
import { chmod, copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe } from 'vitest';
import { type Guarded, spawnGuarded } from './guarded.ts';
import { describeWith, has, type ServiceName } from './services.ts';
import { until } from './until.ts';

const run = promisify(execFile);

const projectRoot = fileURLToPath(new URL('../..', import.meta.url));

export interface Systemd {
  /** Where its root folder is to be seen from outside. */
  readonly root: string;
  /** Runs a command inside; answers with what it printed. */
  inside(command: string, ...args: readonly string[]): Promise<string>;
  /** Properties of a unit, by their names. */
  show(unit: string, ...properties: readonly string[]): Promise<Readonly<Record<string, string>>>;
  /** What a unit logged. */
  journal(unit: string): Promise<string>;
  close(): Promise<void>;
}

const NAMESPACES = ['--mount', '--uts', '--ipc', '--pid', '--fork', '--kill-child', '--propagation', 'private'];

/** Without the controllers of the host: the groups alone are what systemd needs to tell its services apart. */
const CGROUP = 'mount -t cgroup2 cgroup2 "$1" && mkdir -p "$1/$2"';

/** Why none can run here although it is installed; undefined when one can. */
function obstacle(): string | undefined {
  if (process.getuid?.() !== 0) return 'needs root';
  const script = `set -e; ${CGROUP}; rmdir "$1/$2"; mkdir /tmp/l /tmp/u /tmp/w /tmp/m`;
  const overlay = 'mount -t overlay overlay -o lowerdir=/usr,upperdir=/tmp/u,workdir=/tmp/w /tmp/m';
  const inTmpfs = `mount -t tmpfs tmpfs /tmp; mkdir /tmp/c; set -- /tmp/c probe-$$; ${script}; ${overlay}`;
  const probe = spawnSync('unshare', [...NAMESPACES, 'bash', '-c', inTmpfs]);
  return probe.status === 0 ? undefined : 'needs namespaces, cgroup2 and overlay';
}

/** A `describe` for tests with a live systemd and other services; skipped as a whole where that is not possible. */
export function describeWithSystemd(others: readonly ServiceName[], title: string, body: () => void): void {
  const why = has('systemd') ? obstacle() : undefined;
  if (why === undefined) describeWith(['systemd', ...others], title, body);
  else describe.skip(`${title} (${why})`, body);
}

/** Makes the root and becomes systemd. The file `commands` says what the package has in `/usr/bin`. */
const init = `
set -e
root=$1 package=$2 node=$3 group=$4
# Its number outside, as long as the /proc of outside is there.
read -r pid rest < /proc/self/stat
mount --bind "$root" "$root"
cd "$root"
mount -t tmpfs tmpfs layers
over() {
  mkdir -p "layers/$2/upper" "layers/$2/work"
  mount -t overlay overlay -o "lowerdir=$1,upperdir=layers/$2/upper,workdir=layers/$2/work" "$3"
}
over /usr usr usr
# What Debian starts at boot has no place here.
rm -rf usr/lib/systemd/system/*.wants
mkdir -p usr/lib/node_modules/ceilometer-ts
over "$package" package usr/lib/node_modules/ceilometer-ts
while read -r name file; do
  chmod a+x "usr/lib/node_modules/ceilometer-ts/$file"
  ln -sf "../lib/node_modules/ceilometer-ts/$file" "usr/bin/$name"
done < commands
rm -f usr/local/bin/node
touch usr/local/bin/node
mount --bind "$node" usr/local/bin/node
for link in bin sbin lib lib64; do [ ! -e "/$link" ] || ln -s "usr/$link" "$link"; done
mount -t proc proc proc
mount -t sysfs -o ro sysfs sys
mount -t tmpfs tmpfs dev
for device in null zero full random urandom tty; do
  touch "dev/$device"
  mount --bind "/dev/$device" "dev/$device"
done
mkdir dev/shm dev/pts
mount -t devpts -o newinstance,ptmxmode=0666 devpts dev/pts
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
ln -s ../run var/run
mount -t tmpfs -o mode=755 tmpfs run
mount -t cgroup2 cgroup2 mnt
mkdir "mnt/$group"
echo 0 > "mnt/$group/cgroup.procs"
umount mnt
echo "$pid" > pid
exec unshare --cgroup bash -c '
  set -e
  mount -t cgroup2 cgroup2 sys/fs/cgroup
  pivot_root . old
  cd /
  umount -l /old
  exec env -i container=test PATH=/usr/local/bin:/usr/bin:/usr/sbin \\
    /usr/lib/systemd/systemd --unit=tests.target --show-status=no
'
`;

/** Groups outlive those who were in them, and these take a moment to end. */
const removeGroup = `
mount -t cgroup2 cgroup2 /mnt
for try in {1..100}; do
  find "/mnt/$1" -depth -type d -exec rmdir {} + 2> /dev/null
  [ -d "/mnt/$1" ] || exit 0
  sleep 0.05
done
`;

const FOLDERS = [
  'usr',
  'layers',
  'proc',
  'sys',
  'dev',
  'run',
  'mnt',
  'old',
  'tmp',
  'root',
  'home',
  'var/lib',
  'var/log',
];

/** Nothing but the journal; `network-online.target` and the like come with the units that want them. */
const target = `[Unit]
Description=What the tests need
Wants=systemd-journald.service
After=systemd-journald.service
`;

interface PackageManifest {
  readonly bin: Readonly<Record<string, string>>;
}

export async function startSystemd(): Promise<Systemd> {
  const root = await mkdtemp(join(tmpdir(), 'systemd-'));
  await chmod(root, 0o755);
  const systemFolder = join(root, 'etc/systemd/system');
  for (const folder of [...FOLDERS.map((name) => join(root, name)), systemFolder]) {
    await mkdir(folder, { recursive: true });
  }
  await writeFile(join(systemFolder, 'tests.target'), target);
  await writeFile(join(root, 'etc/passwd'), 'root:x:0:0:root:/root:/bin/sh\n');
  await writeFile(join(root, 'etc/group'), 'root:x:0:\n');
  await writeFile(join(root, 'etc/machine-id'), `${randomBytes(16).toString('hex')}\n`);
  await copyFile('/etc/ld.so.cache', join(root, 'etc/ld.so.cache'));

  const { bin } = JSON.parse(await readFile(join(projectRoot, 'package.json'), 'utf8')) as PackageManifest;
  await writeFile(
    join(root, 'commands'),
    Object.entries(bin)
      .map((words) => `${words.join(' ')}\n`)
      .join(''),
  );

  const group = `tests-${basename(root)}`;
  const log = openSync(join(root, 'start.log'), 'w');
  const words = [...NAMESPACES, 'bash', '-c', init, 'init', root, projectRoot, process.execPath, group];
  const guarded = spawnGuarded('unshare', words, process.env, log);
  closeSync(log);
  const close = async () => {
    await guarded.kill();
    spawnSync('unshare', ['--mount', 'bash', '-c', removeGroup, 'remove', group]);
    await rm(root, { recursive: true });
  };
  try {
    const systemd = within(await firstPid(root, guarded));
    await systemd.inside('systemctl', 'is-system-running', '--wait');
    return { ...systemd, close };
  } catch (error) {
    const said = await readFile(join(root, 'start.log'), 'utf8');
    await close();
    throw new Error(`systemd did not start: ${said}`, { cause: error });
  }
}

async function firstPid(root: string, guarded: Guarded): Promise<number> {
  const file = join(root, 'pid');
  await until('systemd has begun', () => !guarded.running || existsSync(file));
  const pid = await readFile(file, 'utf8');
  // Not before its socket is there can anybody ask it.
  await until('systemd listens', () => !guarded.running || existsSync(`/proc/${pid.trim()}/root/run/systemd/private`));
  return Number(pid);
}

function within(pid: number): Omit<Systemd, 'close'> {
  const enter = ['--target', String(pid), '--mount', '--uts', '--ipc', '--pid', '--cgroup', '--'];
  const env = { PATH: '/usr/local/bin:/usr/bin:/usr/sbin' };
  const inside = async (command: string, ...args: readonly string[]) => {
    try {
      const { stdout } = await run('nsenter', [...enter, command, ...args], {
        env,
        timeout: 60_000,
        killSignal: 'SIGKILL',
      });
      return stdout;
    } catch (error) {
      throw new Error(`${[command, ...args].join(' ')} failed`, { cause: error });
    }
  };
  return {
    root: `/proc/${pid}/root`,
    inside,
    async show(unit, ...properties) {
      const text = await inside('systemctl', 'show', unit, `--property=${properties.join(',')}`);
      return Object.fromEntries(
        text
          .trim()
          .split('\n')
          .map((line) => line.split(/=(.*)/s).slice(0, 2)),
      );
    },
    journal: (unit) => inside('journalctl', '--unit', unit, '--output=cat', '--no-pager'),
  };
}
