/** Small files that are whole at any time: a reader, or the next start, sees what was before or what is now. */
import { open, readdir, rename, stat, unlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

/** Milliseconds after which a temporary file has no writer any more. */
const ABANDONED = 60_000;

/** Milliseconds for which pieces are collected before others get their turn. */
const SLICE = 5;
/** Characters that are written at once. */
const CHUNK = 262_144;

/**
 * Each process writes to a file of its own and then renames it: of several writers, the last one counts. The pieces are
 * taken in short slices between which other things go on. Leaves nothing behind when they throw.
 */
export async function writeAtomically(path: string, pieces: Iterable<string>): Promise<void> {
  const temporary = `${path}.${process.pid}.tmp`;
  try {
    const file = await open(temporary, 'w', 0o640);
    try {
      for (const chunk of slices(pieces)) await file.writeFile(chunk);
      await file.datasync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await unlink(temporary).catch(() => undefined);
    throw error;
  }
}

function* slices(pieces: Iterable<string>): Generator<string> {
  let chunk = '';
  let begun = performance.now();
  for (const piece of pieces) {
    chunk += piece;
    if (chunk.length < CHUNK && performance.now() - begun < SLICE) continue;
    yield chunk;
    chunk = '';
    begun = performance.now();
  }
  if (chunk !== '') yield chunk;
}

/** Deletes what processes have left behind that were killed while they wrote the file. Never rejects. */
export async function sweepTemporaries(path: string): Promise<void> {
  const folder = dirname(path);
  const start = `${basename(path)}.`;
  const names = await readdir(folder).catch(() => []);
  for (const name of names) {
    if (!name.startsWith(start) || !/^\d+\.tmp$/.test(name.slice(start.length))) continue;
    const file = join(folder, name);
    const age = await stat(file).then(
      ({ mtimeMs }) => Date.now() - mtimeMs,
      () => 0,
    );
    if (age > ABANDONED) await unlink(file).catch(() => undefined);
  }
}
