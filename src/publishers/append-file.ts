/** A file that lines are appended to, with rotation as Python's RotatingFileHandler does it. */
import { type FileHandle, open, rename } from 'node:fs/promises';
import { setImmediate as endOfTurn } from 'node:timers/promises';
import { codeOf, DeliveryError } from '../errors.ts';
import { LineBuffer, NEWLINE } from './line-buffer.ts';

export interface Rotation {
  /** A line that would make the file larger than this starts a new one. */
  readonly maxBytes: number;
  /** How many old files are kept: `path.1` is the latest. */
  readonly backups: number;
}

export interface AppendFile {
  /** Settles when a line for each item is written. What comes in one turn of the event loop goes out together. */
  append<T>(items: readonly T[], format: (item: T) => string): Promise<void>;
  close(): Promise<void>;
}

interface Batch {
  readonly lines: LineBuffer;
  readonly waiting: { readonly resolve: () => void; readonly reject: (error: unknown) => void }[];
}

export async function openAppendFile(path: string, rotation?: Rotation): Promise<AppendFile> {
  let handle = await open(path, 'a');
  await endLine(path, handle);
  let size = (await handle.stat()).size;
  let filling: Batch = { lines: new LineBuffer(), waiting: [] };
  let spare: Batch = { lines: new LineBuffer(), waiting: [] };
  let writing: Promise<void> | undefined;

  async function drain(): Promise<void> {
    await endOfTurn();
    while (filling.waiting.length > 0) {
      const batch = filling;
      filling = spare;
      let failure: DeliveryError | undefined;
      try {
        await write(batch.lines.bytes);
      } catch (error) {
        failure = new DeliveryError(`cannot write to ${path}`, { cause: error, retryable: true });
      }
      for (const { resolve, reject } of batch.waiting.splice(0)) {
        if (failure === undefined) resolve();
        else reject(failure);
      }
      batch.lines.clear();
      spare = batch;
    }
    writing = undefined;
  }

  async function write(data: Buffer): Promise<void> {
    if (rotation === undefined) return put(data);
    let from = 0;
    for (let at = 0, end = 0; at < data.length; at = end) {
      // No line has a newline of its own.
      end = data.indexOf(NEWLINE, at) + 1;
      // As upstream, a file stays below the limit. A line that is larger gets a file of its own.
      if (size + at - from > 0 && size + end - from >= rotation.maxBytes) {
        await put(data.subarray(from, at));
        from = at;
        await rotate(rotation);
      }
    }
    await put(data.subarray(from));
  }

  /** Writes all of it, or nothing that stays: half a line would spoil the next one, too. */
  async function put(data: Buffer): Promise<void> {
    try {
      for (let done = 0; done < data.length; ) done += (await handle.write(data, done)).bytesWritten;
      size += data.length;
    } catch (error) {
      if (rotation !== undefined) await handle.truncate(size).catch(() => {});
      else await handle.appendFile('\n').catch(() => {});
      throw error;
    }
  }

  async function rotate({ backups }: Rotation): Promise<void> {
    await handle.close();
    for (let index = backups - 1; index >= 0; index--) {
      const from = index === 0 ? path : `${path}.${index}`;
      await rename(from, `${path}.${index + 1}`).catch(ignoreMissing);
    }
    handle = await reopen();
    size = (await handle.stat()).size;
  }

  function reopen(): Promise<FileHandle> {
    return open(path, 'a');
  }

  return {
    append(items, format) {
      return new Promise((resolve, reject) => {
        filling.lines.add(items, format);
        filling.waiting.push({ resolve, reject });
        writing ??= drain();
      });
    },
    async close() {
      await writing;
      await handle.close();
    },
  };
}

/** A process that was killed may have left half a line, which must not spoil the next one. */
async function endLine(path: string, handle: FileHandle): Promise<void> {
  const stat = await handle.stat();
  if (!stat.isFile() || stat.size === 0) return;
  const reader = await open(path, 'r');
  try {
    const last = Buffer.alloc(1);
    await reader.read(last, 0, 1, stat.size - 1);
    if (last.toString('latin1') !== '\n') await handle.write('\n');
  } finally {
    await reader.close();
  }
}

function ignoreMissing(error: unknown): void {
  if (codeOf(error) !== 'ENOENT') throw error;
}
