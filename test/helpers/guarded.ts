import { type ChildProcess, spawn } from 'node:child_process';

/** Runs the program until the shell's standard input ends, which it does when this process dies, however it dies. */
const GUARD = 'exec 3<&0; "$@" 3<&- </dev/null & child=$!; (cat <&3; kill -9 $child) 2>/dev/null & wait $child';

export interface Guarded {
  readonly running: boolean;
  /** Kills the program; resolves when it is gone. */
  kill(): Promise<void>;
}

/** A server for tests that does not outlive them. It has to stay in the foreground. `log` is an open file. */
export function spawnGuarded(
  command: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  log: number | 'ignore' = 'ignore',
): Guarded {
  const shell = spawn('sh', ['-c', GUARD, 'sh', command, ...args], { env, stdio: ['pipe', log, log] });
  const ended = exit(shell);
  return {
    get running() {
      return shell.exitCode === null && shell.signalCode === null;
    },
    async kill() {
      shell.stdin?.destroy();
      await ended;
    },
  };
}

function exit(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    child.once('error', () => resolve());
    child.once('exit', () => resolve());
  });
}
