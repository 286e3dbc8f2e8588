import type { Logger } from '../plugin.ts';
import { definitionFiles } from '../pollsters/dynamic/files.ts';
import type { PluginSource } from './external-plugins.ts';

export interface DynamicSources {
  readonly sources: readonly PluginSource[];
  close(): Promise<void>;
}

/** The pollsters that definition files add; the code for them is loaded only where there is a file. */
export async function loadDynamic(folders: readonly string[], log: Logger): Promise<DynamicSources> {
  const files = definitionFiles(folders, log);
  if (files.length === 0) return { sources: [], close: async () => {} };
  const { dynamicPlugins } = await import('../pollsters/dynamic/index.ts');
  const { plugins, close } = dynamicPlugins(files, log);
  return { sources: plugins.map(({ file, plugin }) => ({ package: file, plugin })), close };
}
