import { scope } from '../util/scope.ts';
import type { Output } from './output.ts';

/**
 * For a run that ends at once: what was polled by then, and may be shown, is not lost. `flush` takes its time, at most
 * so many milliseconds, also when its signal has been aborted.
 */
export function createFinishing(output: Output, milliseconds: number): Output {
  return {
    ...output,
    async flush() {
      using limit = scope(new AbortController().signal, milliseconds, 'delivery');
      return await output.flush(limit.signal);
    },
  };
}
