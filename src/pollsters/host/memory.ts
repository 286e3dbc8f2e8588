import type { Systeminformation } from 'systeminformation';
import type { Memory } from './machine.ts';

/** systeminformation says 0 of what the kernel does not tell, and of a swap space that is not there. */
export function memoryOf(data: Systeminformation.MemData): Memory {
  return {
    total: data.total,
    free: data.free,
    ...(data.buffers > 0 && { buffers: data.buffers }),
    ...(data.cached > 0 && { cached: data.cached }),
    ...(data.swaptotal > 0 && { swap: { total: data.swaptotal, free: data.swapfree } }),
  };
}
