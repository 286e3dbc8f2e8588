import { copyFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sqlite from 'node-sqlite3-wasm';
import { expect, it, onTestFinished } from 'vitest';
import { createSqlStore } from '../../src/collector/store/sql-store.ts';
import { openSqlite } from '../../src/collector/store/sqlite.ts';
import { NOON, record, SECOND } from './samples.ts';

it('rolls back what a killed process had half written', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'sqlite-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const [path, copy] = [join(folder, 'c.db'), join(folder, 'copy.db')];
  const store = createSqlStore(openSqlite(path));
  await store.write(
    Array.from({ length: 2000 }, (_, index) => record({ time: NOON + index * SECOND })),
    [],
  );
  await store.close();
  const before = readFileSync(path);

  // A transaction that does not fit into the cache is on the disk before it is committed.
  const db = new sqlite.Database(path);
  db.exec('PRAGMA journal_mode = TRUNCATE; PRAGMA cache_size = 10; BEGIN; UPDATE samples SET metadata = 99;');
  copyFileSync(path, copy);
  copyFileSync(`${path}-journal`, `${copy}-journal`);
  db.exec('ROLLBACK');
  db.close();
  expect(readFileSync(copy).equals(before)).toBe(false);
  const opened = openSqlite(copy);
  const [check] = await opened.all('PRAGMA integrity_check');
  const [changed] = await opened.all('SELECT count(*) AS count FROM samples WHERE metadata = 99');
  await opened.close();

  expect(check).toEqual({ integrity_check: 'ok' });
  expect(changed).toEqual({ count: 0 });
  expect(readFileSync(copy).equals(before)).toBe(true);
  // Its head is what makes a journal one.
  expect(readFileSync(`${copy}-journal`).subarray(0, 8)).toEqual(Buffer.alloc(8));
});
