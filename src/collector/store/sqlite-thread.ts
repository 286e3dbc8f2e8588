/** The thread behind worker-store.ts. */
import { parentPort, workerData } from 'node:worker_threads';
import { codeOf, describeError } from '../../errors.ts';
import { createSqlStore } from './sql-store.ts';
import { openSqlite } from './sqlite.ts';
import type { Store } from './store.ts';
import type { StoreAnswer, StoreCall } from './worker-store.ts';

let store: Store | undefined;

async function answer({ id, method, values }: StoreCall | (Omit<StoreCall, 'method'> & { method: 'open' })) {
  try {
    if (method === 'open') {
      store = createSqlStore(openSqlite(String((workerData as { path: unknown }).path)));
      return { id, result: undefined };
    }
    if (store === undefined) throw new Error('the store is not open');
    // The types are checked where the call is made, on the other side.
    const call = store[method] as (...values: readonly unknown[]) => Promise<unknown>;
    return { id, result: await call(...values) };
  } catch (error) {
    return { id, failure: { message: describeError(error), config: codeOf(error) === 'ERR_CONFIG' } };
  }
}

parentPort?.on('message', (call: StoreCall) => {
  void answer(call).then((result: StoreAnswer) => parentPort?.postMessage(result));
});
