import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileProblem } from '../../config/text-file.ts';
import { codeOf } from '../../errors.ts';
import type { Logger } from '../../plugin.ts';

/** Nobody asked for it by name: that it is not there says nothing. */
const DEFAULT_FOLDER = '/etc/ceilometer/pollsters.d';

/** The definition files of the folders, in the order in which the first of two equal names wins. */
export function definitionFiles(folders: readonly string[], log: Logger): readonly string[] {
  return folders.flatMap((folder) => {
    try {
      const names = readdirSync(folder).filter((name) => name.endsWith('.yaml') && !name.startsWith('.'));
      return names.sort().map((name) => join(folder, name));
    } catch (error) {
      const missing = codeOf(error) === 'ENOENT';
      if (missing && folder === DEFAULT_FOLDER) log.debug({ folder }, 'there is no folder of definitions');
      else log.error({ folder, reason: fileProblem(error) }, 'definitions of dynamic pollsters cannot be read');
      return [];
    }
  });
}
