import { readFileSync } from 'node:fs';
import { codeOf, describeError } from '../errors.ts';

export type TextFile = { readonly text: string } | { readonly problem: string };

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'does not exist',
  EACCES: 'cannot be read: permission denied',
  EISDIR: 'is a directory, expected a file',
  ENOTDIR: 'does not exist: a part of its path is not a directory',
};

/** Why a path could not be read, for a message that already names the path. */
export function fileProblem(error: unknown): string {
  return reasons[codeOf(error) ?? ''] ?? `cannot be read: ${describeError(error)}`;
}

/** Reads UTF-8 text. What is wrong comes back as one line, `path: problem` or `path:line: problem`. */
export function readTextFile(path: string): TextFile {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    return { problem: `${path}: ${fileProblem(error)}` };
  }
  const nul = bytes.indexOf(0);
  if (nul >= 0) return { problem: `${path}:${lineAt(bytes, nul)}: expected text, got a NUL byte` };
  try {
    return { text: decode(bytes) };
  } catch {
    return { problem: `${path}:${firstBadLine(bytes)}: expected UTF-8 text` };
  }
}

const decode = (bytes: Buffer): string => new TextDecoder('utf-8', { fatal: true }).decode(bytes);

function lineAt(bytes: Buffer, offset: number): number {
  let line = 1;
  for (let at = bytes.indexOf(10); at >= 0 && at < offset; at = bytes.indexOf(10, at + 1)) line += 1;
  return line;
}

/** Every line of valid UTF-8 is valid by itself, as no character has a newline inside. */
function firstBadLine(bytes: Buffer): number {
  let line = 1;
  for (let start = 0; ; line += 1) {
    const end = bytes.indexOf(10, start);
    if (end < 0) return line;
    try {
      decode(bytes.subarray(start, end));
    } catch {
      return line;
    }
    start = end + 1;
  }
}
