import type { Logger } from '../plugin.ts';
import { definitionFiles } from '../pollsters/dynamic/files.ts';
import type { PluginSource } from './external-plugins.ts';

/** The pollsters that definition files add; the code for them is loaded only where there is a file. */
export async function loadDynamic(folders: readonly string[], log: Logger): Promise<readonly PluginSource[]> {
  const files = definitionFiles(folders, log);
  if (files.length === 0) return [];
  const { dynamicPlugins } = await import('../pollsters/dynamic/index.ts');
  return dynamicPlugins(files, log).map(({ file, plugin }) => ({ package: file, plugin }));
}
