import { describe, expect, it } from 'vitest';
import { fileProblem } from '../../src/config/text-file.ts';

const failure = (code: string): Error => Object.assign(new Error(`${code}: some words`), { code });

describe('fileProblem', () => {
  it.each([
    ['ENOENT', 'does not exist'],
    ['EACCES', 'cannot be read: permission denied'],
    ['EISDIR', 'is a directory, expected a file'],
    ['ENOTDIR', 'does not exist: a part of its path is not a directory'],
    ['EIO', 'cannot be read: EIO: some words'],
  ])('says of %s: %s', (code, expected) => {
    expect(fileProblem(failure(code))).toBe(expected);
  });
});
