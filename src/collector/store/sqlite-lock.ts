/**
 * One process per file. The WebAssembly build of SQLite locks by making a folder, which outlives a process that was
 * killed; so who holds the file is written beside it, and what the dead have left is taken away.
 */
import { readFileSync, rmdirSync, unlinkSync, writeFileSync } from 'node:fs';
import { ConfigError, codeOf } from '../../errors.ts';

/** Throws {@link ConfigError} where another process that lives uses the file. */
export function lockFile(path: string): Disposable {
  const file = `${path}.pid`;
  const mine = `${process.pid} ${startOf(process.pid)}\n`;
  for (let attempt = 0; ; attempt++) {
    try {
      writeFileSync(file, mine, { flag: 'wx', mode: 0o640 });
      break;
    } catch (error) {
      if (codeOf(error) !== 'EEXIST' || attempt > 5)
        throw new ConfigError(`${file}: cannot be written`, { cause: error });
    }
    const owner = readOwner(file);
    if (owner !== undefined && owner.start === startOf(owner.pid)) {
      throw new ConfigError(`${path} is in use by process ${owner.pid}`);
    }
    remove(() => unlinkSync(file));
  }
  remove(() => rmdirSync(`${path}.lock`));
  return { [Symbol.dispose]: () => remove(() => unlinkSync(file)) };
}

function readOwner(file: string): { readonly pid: number; readonly start: string } | undefined {
  try {
    const [pid = '', start = ''] = readFileSync(file, 'utf8').trim().split(' ');
    return /^[0-9]+$/.test(pid) ? { pid: Number(pid), start } : undefined;
  } catch {
    return undefined;
  }
}

/** When a process started, so that another one with its number is not taken for it; empty where it does not live. */
function startOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name of the program, in parentheses, may hold anything.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
  } catch {
    // No such process, or no such file system.
  }
  try {
    process.kill(pid, 0);
    return 'running';
  } catch (error) {
    return codeOf(error) === 'EPERM' ? 'running' : '';
  }
}

function remove(work: () => void): void {
  try {
    work();
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
  }
}
