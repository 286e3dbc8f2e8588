/** A file that lines are appended to, with rotation as Python's RotatingFileHandler does it. */
import { type FileHandle, open, rename } from 'node:fs/promises';
import { codeOf, DeliveryError } from '../errors.ts';

export interface Rotation {
  /** A line that would make the file larger than this starts a new one. */
  readonly maxBytes: number;
  /** How many old files are kept: `path.1` is the latest. */
  readonly backups: number;
}

export interface AppendFile {
  /** Settles when the lines are written. Lines that wait for the same write go out together. */
  append(lines: readonly string[]): Promise<void>;
  close(): Promise<void>;
}

interface Waiting {
  readonly lines: readonly string[];
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

export async function openAppendFile(path: string, rotation?: Rotation): Promise<AppendFile> {
  let handle = await open(path, 'a');
  await endLine(path, handle);
  let size = (await handle.stat()).size;
  let waiting: Waiting[] = [];
  let writing: Promise<void> | undefined;

  async function drain(): Promise<void> {
    while (waiting.length > 0) {
      const batch = waiting;
      waiting = [];
      try {
        await write(batch);
        for (const { resolve } of batch) resolve();
      } catch (error) {
        const failure = new DeliveryError(`cannot write to ${path}`, { cause: error, retryable: true });
        for (const { reject } of batch) reject(failure);
      }
    }
    writing = undefined;
  }

  async function write(batch: readonly Waiting[]): Promise<void> {
    let text = '';
    if (rotation === undefined) {
      for (const { lines } of batch) text += `${lines.join('\n')}\n`;
      await put(text);
      return;
    }
    let bytes = 0;
    for (const line of batch.flatMap(({ lines }) => lines)) {
      const length = Buffer.byteLength(line) + 1;
      // As upstream, a file stays below the limit. A line that is larger gets a file of its own.
      if (size + bytes > 0 && size + bytes + length >= rotation.maxBytes) {
        await put(text);
        [text, bytes] = ['', 0];
        await rotate(rotation);
      }
      text += `${line}\n`;
      bytes += length;
    }
    await put(text);
  }

  /** Writes all of it, or nothing that stays: half a line would spoil the next one, too. */
  async function put(text: string): Promise<void> {
    if (text === '') return;
    const data = Buffer.from(text);
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
    append(lines) {
      return new Promise((resolve, reject) => {
        waiting.push({ lines, resolve, reject });
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
