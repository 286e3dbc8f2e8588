/** A SQLite store in a thread of its own: its calls block, and this process has to go on listening and answering. */
import { Worker } from 'node:worker_threads';
import { ConfigError, ServiceError } from '../../errors.ts';
import type { Store } from './store.ts';

/** What the thread is asked for: a method of {@link Store}. */
export interface StoreCall {
  readonly id: number;
  readonly method: Exclude<keyof Store, 'kind'>;
  readonly values: readonly unknown[];
}

export type StoreAnswer =
  | { readonly id: number; readonly result: unknown }
  | { readonly id: number; readonly failure: { readonly message: string; readonly config: boolean } };

interface Waiting {
  resolve(result: unknown): void;
  reject(error: Error): void;
}

/** Resolves when the file is open. Rejects with `ConfigError` where it cannot be. */
export async function openSqliteThread(path: string): Promise<Store> {
  const worker = new Worker(new URL('./sqlite-thread.js', import.meta.url), { workerData: { path } });
  const waiting = new Map<number, Waiting>();
  let asked = 0;
  let gone: Error | undefined;

  worker.on('message', (answer: StoreAnswer) => {
    const call = waiting.get(answer.id);
    waiting.delete(answer.id);
    if ('failure' in answer) {
      const { message, config } = answer.failure;
      call?.reject(config ? new ConfigError(message) : new ServiceError(message));
    } else call?.resolve(answer.result);
  });
  const end = (error: Error) => {
    gone ??= error;
    for (const { reject } of waiting.values()) reject(gone);
    waiting.clear();
  };
  // Nobody listens to its errors: what the thread did not foresee ends the process, and what is not stored comes again.
  worker.on('exit', () => end(new ServiceError('the thread of SQLite has ended')));

  function call<T>(method: StoreCall['method'] | 'open', ...values: readonly unknown[]): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (gone !== undefined) return reject(gone);
      asked += 1;
      waiting.set(asked, { resolve: (result) => resolve(result as T), reject });
      worker.postMessage({ id: asked, method, values });
    });
  }

  try {
    await call('open');
  } catch (error) {
    await worker.terminate();
    throw error;
  }
  return {
    kind: 'sqlite',
    write: (...values) => call('write', ...values),
    meters: (...values) => call('meters', ...values),
    resources: (...values) => call('resources', ...values),
    resource: (...values) => call('resource', ...values),
    samples: (...values) => call('samples', ...values),
    statistics: (...values) => call('statistics', ...values),
    status: (...values) => call('status', ...values),
    expire: (...values) => call('expire', ...values),
    async close() {
      if (gone === undefined) await call('close');
      await worker.terminate();
    },
  };
}
