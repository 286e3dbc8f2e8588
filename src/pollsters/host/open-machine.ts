import { readFileSync } from 'node:fs';
import { readFile, statfs } from 'node:fs/promises';
import * as os from 'node:os';
import { codeOf } from '../../errors.ts';
import type { Host } from '../../plugin.ts';
import { monotonicSeconds } from '../../sample.ts';
import { createLinuxMachine } from './linux.ts';
import type { Machine } from './machine.ts';
import { createPortableMachine } from './portable.ts';

/** Loaded on first use: it costs 10 MB and a tenth of a second. */
const systeminformation = async () => (await import('systeminformation')).default;

/** Reading these asynchronously takes seven times the CPU, and the kernel makes up their text without waiting. */
function readProc(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (['ENOENT', 'EACCES', 'EPERM'].includes(codeOf(error) ?? '')) return undefined;
    throw error;
  }
}

/** This machine itself. Does nothing until something is read. */
export function openMachine(host: Host): Machine {
  const mem = async () => (await systeminformation()).mem();
  const { loadavg, networkInterfaces, cpus } = os;
  if (process.platform === 'linux') {
    const readSys = (path: string) => readFile(path, 'utf8').catch(() => undefined);
    const size = (path: string) => statfs(path, { bigint: true });
    const sources = { readProc, readSys, statfs: size, mem, loadavg, networkInterfaces, now: monotonicSeconds };
    return createLinuxMachine(sources, host.log);
  }
  return createPortableMachine({
    mem,
    fsSize: async () => (await systeminformation()).fsSize(),
    networkStats: async (interfaces) => (await systeminformation()).networkStats(interfaces),
    cpus,
    loadavg: () => (process.platform === 'win32' ? undefined : loadavg()),
    networkInterfaces,
  });
}
