/** What this package brings itself, imported only when its namespace is asked for. */
import type { Plugin } from '../plugin.ts';

export const builtin: Readonly<Record<string, () => Promise<{ readonly default: Plugin }>>> = {
  central: () => import('../pollsters/central/index.ts'),
  compute: () => import('../pollsters/compute/index.ts'),
  host: () => import('../pollsters/host/index.ts'),
  ipmi: () => import('../pollsters/ipmi/index.ts'),
};
