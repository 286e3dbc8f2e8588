/** Machines as they answered, from files under `test/fixtures/host`. */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Host, Logger } from '../../../src/plugin.ts';
import type { LinuxSources } from '../../../src/pollsters/host/linux.ts';

const files: Readonly<Record<string, string>> = {
  '/proc/stat': 'stat',
  '/proc/diskstats': 'diskstats',
  '/proc/net/dev': 'net-dev',
  '/proc/net/snmp': 'snmp',
  '/proc/vmstat': 'vmstat',
  '/proc/self/mountinfo': 'mountinfo',
};

export type RecordedMachine = 'hypervisor' | 'vm' | 'container';

function fixture(machine: RecordedMachine, file: string): string | undefined {
  const path = fileURLToPath(new URL(`../../fixtures/host/${machine}/${file}`, import.meta.url));
  return existsSync(path) ? readFileSync(path, 'utf8') : undefined;
}

export function recorded(machine: RecordedMachine, overrides: Partial<LinuxSources> = {}): LinuxSources {
  return {
    readProc: (path) => fixture(machine, files[path] ?? ''),
    readSys: async () => undefined,
    statfs: async () => ({ bsize: 4096n, blocks: 1000n, bfree: 250n }),
    mem: async () => JSON.parse(fixture(machine, 'mem.json') ?? '{}'),
    loadavg: () => [0.5, 2, 1.25],
    networkInterfaces: () => ({}),
    now: () => 0,
    ...overrides,
  };
}

export interface LogLine {
  readonly level: keyof Logger;
  readonly fields: object;
  readonly message: string;
}

export function recordingLog(): { readonly log: Logger; readonly lines: LogLine[] } {
  const lines: LogLine[] = [];
  const at = (level: keyof Logger) => (fields: object, message: string) => {
    lines.push({ level, fields, message });
  };
  return { lines, log: { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') } };
}

export function fakeHost(hostname: string): Host {
  const unused = () => {
    throw new Error('host meters ask for no service');
  };
  return {
    hostname,
    config: {} as Host['config'],
    log: recordingLog().log,
    state: () => ({ load: async () => undefined, save() {} }),
    inspector: unused,
    openstack: unused,
    budget: { spend: unused },
  };
}
