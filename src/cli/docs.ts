/** Writes the documentation that is made from the code. */
import { writeFile } from 'node:fs/promises';
import { metersMarkdown } from '../agent/meter-docs.ts';
import { configurationMarkdown } from '../config/docs.ts';

export async function writeDocs(): Promise<void> {
  await writeFile(new URL('../../docs/configuration.md', import.meta.url), configurationMarkdown());
  await writeFile(new URL('../../docs/meters.md', import.meta.url), await metersMarkdown());
}
