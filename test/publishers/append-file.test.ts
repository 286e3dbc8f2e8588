import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openAppendFile } from '../../src/publishers/append-file.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'append-'));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

const asIs = (line: string) => line;

it('writes what comes while it writes, in the order in which it came', async () => {
  const path = join(folder, 'order');
  const file = await openAppendFile(path);
  const expected = Array.from({ length: 2000 }, (_, index) => `${index} ${'é€😀'.repeat(index % 97)}`);

  const writes: Promise<void>[] = [];
  for (const [index, line] of expected.entries()) {
    writes.push(file.append([line], asIs));
    if (index % 300 === 299) await new Promise(setImmediate);
  }
  await Promise.all(writes);
  await file.close();

  expect(readFileSync(path, 'utf8')).toBe(`${expected.join('\n')}\n`);
});

it('has a line written when it says so', async () => {
  const path = join(folder, 'at-once');
  const file = await openAppendFile(path);

  for (let count = 1; count <= 20; count++) {
    await file.append(['0123456789', 'x'], asIs);
    expect(statSync(path).size).toBe(count * 13);
  }

  await file.close();
});

it('writes lines that are larger than what it keeps room for', async () => {
  const path = join(folder, 'large');
  const file = await openAppendFile(path);
  const large = 'x'.repeat(3_000_000);

  await Promise.all([file.append(['a'], asIs), file.append([large], asIs), file.append(['b'], asIs)]);
  await file.append(['c'], asIs);
  await file.close();

  expect(readFileSync(path, 'utf8')).toBe(`a\n${large}\nb\nc\n`);
});

it('writes none of the items where one of them cannot be formatted', async () => {
  const path = join(folder, 'format');
  const file = await openAppendFile(path);
  const format = (item: string) => {
    if (item === 'bad') throw new TypeError('cannot be written');
    return item;
  };

  const results = await Promise.allSettled([
    file.append(['one'], format),
    file.append(['two', 'bad'], format),
    file.append(['three'], format),
  ]);
  await file.close();

  expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  expect(readFileSync(path, 'utf8')).toBe('one\nthree\n');
});

it('settles where there is nothing to write', async () => {
  const path = join(folder, 'nothing');
  const file = await openAppendFile(path);

  await file.append([], asIs);
  await file.close();

  expect(readFileSync(path, 'utf8')).toBe('');
});

it('rotates between lines that were handed over together', async () => {
  const path = join(folder, 'rotated');
  const file = await openAppendFile(path, { maxBytes: 10, backups: 9 });

  await file.append(['1234', '5678', '9', 'a line that is too long', 'b', 'c'], asIs);
  await file.close();

  const contents = [3, 2, 1].map((index) => readFileSync(`${path}.${index}`, 'utf8'));
  expect([...contents, readFileSync(path, 'utf8')]).toEqual([
    '1234\n',
    '5678\n9\n',
    'a line that is too long\n',
    'b\nc\n',
  ]);
});

it('goes on after a write that failed', async () => {
  const file = await openAppendFile('/dev/full');

  const lines = ['x'];
  await expect(file.append(lines, asIs)).rejects.toThrow('cannot write to /dev/full');
  await expect(file.append(lines, asIs)).rejects.toMatchObject({ code: 'ERR_DELIVERY', retryable: true });

  await file.close();
});
