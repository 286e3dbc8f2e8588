/** Several processes that share the queues: each is a whole agent, started again when it dies. */
import { type ChildProcess, fork } from 'node:child_process';
import type { Log } from '../log.ts';
import type { SystemdNotify } from '../util/sd-notify.ts';

export interface WorkerParts {
  readonly count: number;
  /** The program and its arguments: the same as this process's own. */
  readonly program: string;
  readonly args: readonly string[];
  readonly log: Log;
  readonly notify: SystemdNotify;
}

/** Tells a process that it is a worker, and which. */
export const WORKER_VARIABLE = 'CEILOMETER_WORKER';

const FIRST_WAIT = 1000;
const LONGEST_WAIT = 30_000;
/** A worker that lasted this long started well: its end is not that of a program that cannot start. */
const STABLE = 10_000;

/** Runs until a signal ends it, or until no worker can even start. Resolves to the exit code. */
export async function runWorkers({ count, program, args, log, notify }: WorkerParts): Promise<number> {
  const running = new Map<number, ChildProcess>();
  const timers = new Set<NodeJS.Timeout>();
  let ready = 0;
  let ending = false;
  let code = 0;
  let finish = () => {};
  const finished = new Promise<void>((resolve) => {
    finish = resolve;
  });

  function start(index: number, wait: number): void {
    const began = Date.now();
    const worker = fork(program, args, { env: { ...process.env, [WORKER_VARIABLE]: String(index) } });
    running.set(index, worker);
    worker.once('message', () => {
      ready += 1;
      if (ready === count) notify.ready(`${count} workers take notifications`);
    });
    worker.once('exit', (exitCode, signal) => {
      running.delete(index);
      if (ending) {
        if (exitCode !== 0) code = exitCode ?? 1;
        if (running.size === 0) finish();
        return;
      }
      const lasted = Date.now() - began;
      if (ready === 0 && exitCode === 1 && signal === null) {
        // The configuration is wrong, and will be so for all others.
        code = exitCode;
        end('SIGTERM');
        if (running.size === 0) finish();
        return;
      }
      const next = lasted > STABLE ? FIRST_WAIT : Math.min(wait * 2, LONGEST_WAIT);
      log.error({ worker: index, code: exitCode, signal, restartInSeconds: wait / 1000 }, 'a worker died');
      const timer = setTimeout(() => {
        timers.delete(timer);
        start(index, next);
      }, wait);
      timers.add(timer);
    });
  }

  function end(signal: NodeJS.Signals): void {
    ending = true;
    for (const timer of timers) clearTimeout(timer);
    for (const worker of running.values()) worker.kill(signal);
    if (running.size === 0) finish();
  }

  const hangUp = () => {
    log.reopen();
    for (const worker of running.values()) worker.kill('SIGHUP');
  };
  process.on('SIGTERM', end).on('SIGINT', end).on('SIGHUP', hangUp);
  for (let index = 0; index < count; index++) start(index, FIRST_WAIT);
  await finished;
  notify.stopping();
  await notify.close();
  process.off('SIGTERM', end).off('SIGINT', end).off('SIGHUP', hangUp);
  return code;
}
