import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { options } from '../../src/config/options.ts';
import { PATIENCE } from '../helpers/patience.ts';

const etc = (name: string) => fileURLToPath(new URL(`../../etc/systemd/${name}`, import.meta.url));
const sysusers = etc('ceilometer-polling.sysusers.conf');

/** Settings by section, each with the values that it is given. */
async function settings(command: string): Promise<Map<string, Map<string, string[]>>> {
  const sections = new Map<string, Map<string, string[]>>();
  let section = new Map<string, string[]>();
  for (const line of (await readFile(etc(`${command}.service`), 'utf8')).split('\n')) {
    const [, title] = /^\[(\w+)\]$/.exec(line) ?? [];
    const [, key, value] = /^(\w+)=(.*)$/.exec(line) ?? [];
    if (title !== undefined) {
      section = new Map();
      sections.set(title, section);
    } else if (key !== undefined && value !== undefined) {
      section.set(key, [...(section.get(key) ?? []), value]);
    } else {
      expect(line).toMatch(/^(#.*)?$/);
    }
  }
  return sections;
}

function seconds(span: string): number {
  const [, number, unit] = /^(\d+)(min|s)?$/.exec(span) ?? [];
  return Number(number) * (unit === 'min' ? 60 : 1);
}

function run(tool: string, args: readonly string[]) {
  return spawnSync(tool, args, { encoding: 'utf8', timeout: PATIENCE });
}

async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'systemd-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  return folder;
}

const onPath = (tool: string) =>
  (process.env['PATH'] ?? '').split(delimiter).some((folder) => existsSync(join(folder, tool)));

/** From systemd 250 on a unit need not be installed for that. */
const countsRights = () => onPath('systemd-analyze') && run('systemd-analyze', ['--help']).stdout.includes('--offline');

describe.each(['ceilometer-polling', 'ceilometer-agent-notification', 'ceilometer-collector'])(
  'the unit of %s',
  (command) => {
    it('has sections and settings, each setting once but for lists', async () => {
      const sections = await settings(command);

      const repeated = [...sections.values()].flatMap((section) =>
        [...section].filter(([, values]) => values.length > 1).map(([key]) => key),
      );

      expect([...sections.keys()]).toEqual(['Unit', 'Service', 'Install']);
      expect(repeated).toEqual(['SystemCallFilter']);
    });

    it('starts it, waits for its word and lets it reload', async () => {
      const service = (await settings(command)).get('Service');

      expect(service?.get('Type')).toEqual(['notify']);
      expect(service?.get('NotifyAccess')).toEqual(['all']);
      expect(service?.get('ExecStart')?.[0]).toMatch(`/usr/bin/${command} --config-file /etc/ceilometer/`);
      expect(service?.get('ExecReload')).toEqual(['/bin/kill -HUP $MAINPID']);
    });

    it('gives it the time that it gives itself to end', async () => {
      const service = (await settings(command)).get('Service');
      const grace = options.DEFAULT.graceful_shutdown_timeout.default;

      // The polling agent has the same time twice: for its cycle, and to deliver.
      const needed = command === 'ceilometer-polling' ? 2 * grace : grace;
      expect(seconds(service?.get('TimeoutStopSec')?.[0] ?? '')).toBeGreaterThan(needed);
    });

    it('leaves what it needs: memory for compiled code, /proc, the network', async () => {
      const service = (await settings(command)).get('Service');

      expect(service?.has('MemoryDenyWriteExecute')).toBe(false);
      expect(service?.has('ProcSubset')).toBe(false);
      expect(service?.has('PrivateNetwork')).toBe(false);
      expect(service?.get('RestrictAddressFamilies')?.[0]?.split(' ')).toEqual(
        expect.arrayContaining(['AF_UNIX', 'AF_INET', 'AF_INET6']),
      );
    });

    it.skipIf(!onPath('systemd-analyze'))('satisfies systemd-analyze verify, skipped where there is none', async () => {
      const folder = await temporaryFolder();
      // The agent is not installed here, and systemd looks whether what it would start is there.
      const text = (await readFile(etc(`${command}.service`), 'utf8')).replace(`/usr/bin/${command}`, process.execPath);
      const complaints = async (name: string, content: string) => {
        await writeFile(join(folder, name), content);
        const { stderr } = run('systemd-analyze', ['verify', join(folder, name)]);
        // Units of this machine may have faults of their own.
        return stderr.split('\n').filter((line) => line.includes(name));
      };

      expect(await complaints('good.service', text)).toEqual([]);
      expect(await complaints('bad.service', text.replace('Type=notify', 'Type=nonsense'))).not.toEqual([]);
    });

    it.skipIf(!countsRights())('leaves it few rights, as systemd-analyze security counts them, where it can', () => {
      // 2.0 of 10.
      const args = ['security', '--offline=yes', '--no-pager', '--threshold=20', etc(`${command}.service`)];

      const { status, stdout, stderr } = run('systemd-analyze', args);

      expect(status, stderr + stdout).toBe(0);
    });
  },
);

describe('the unit of the polling agent', () => {
  it('lets it ask for the addresses of interfaces', async () => {
    const service = (await settings('ceilometer-polling')).get('Service');

    expect(service?.get('RestrictAddressFamilies')?.[0]?.split(' ')).toContain('AF_NETLINK');
  });

  it.skipIf(!onPath('systemd-sysusers'))(
    'has its user made by systemd-sysusers, skipped where there is none',
    async () => {
      const root = await temporaryFolder();
      await mkdir(join(root, 'etc'));
      await copyFile(sysusers, join(root, 'etc/ours.conf'));

      const { status, stderr } = run('systemd-sysusers', [`--root=${root}`, join(root, 'etc/ours.conf')]);

      expect(status, stderr).toBe(0);
      expect(await readFile(join(root, 'etc/passwd'), 'utf8')).toMatch(/^ceilometer:.*:\/var\/lib\/ceilometer:/m);
      expect(await readFile(join(root, 'etc/group'), 'utf8')).toMatch(/^libvirt:.*:ceilometer$/m);
    },
  );
});
