import { setFlagsFromString } from 'node:v8';

/**
 * Has V8 collect once the heap has grown by half since the last time. By itself it lets that of a busy process grow to
 * three times of what lives, which saves a few hundredths of the CPU time. Nothing is forbidden: what lives may grow.
 */
export function keepHeapSmall(): void {
  setFlagsFromString('--heap-growing-percent=50');
}
