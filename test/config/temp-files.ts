import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';

/** A folder with these files, gone when the test is over. */
export function tempFiles(files: Readonly<Record<string, string | Uint8Array>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'ceilometer-config-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), content);
  }
  return folder;
}

/** What a call throws, as lines without the folder's name. */
export function mistakes(folder: string, call: () => unknown): readonly string[] {
  try {
    call();
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ERR_CONFIG') {
      return error.message.replaceAll(`${folder}/`, '').split('\n');
    }
    throw error;
  }
  throw new Error('expected mistakes, got none');
}
