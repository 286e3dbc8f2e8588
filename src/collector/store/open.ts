/** The store that `[database] connection` names. */
import { mkdirSync } from 'node:fs';
import { dirname, isAbsolute, join } from 'node:path';
import { ConfigError, describeError } from '../../errors.ts';
import { openPostgresql } from './postgresql.ts';
import { createSqlStore } from './sql-store.ts';
import type { Store } from './store.ts';
import { openSqliteThread } from './worker-store.ts';

export const DATABASE_FILE = 'collector.db';

/**
 * `connection` is a URL as SQLAlchemy has it: `postgresql://…`, or `sqlite:///` and a path; empty means a file in
 * `stateFolder`. A PostgreSQL that is away is no reason to reject, a file that cannot be opened is.
 */
export async function openStore(connection: string, stateFolder: string): Promise<Store> {
  const [, scheme = '', rest = ''] = /^([a-z0-9]+)(?:\+[a-z0-9]+)?:\/\/(.*)$/i.exec(connection) ?? [];
  if (scheme === 'postgresql' || scheme === 'postgres') {
    const url = `postgresql://${rest}`;
    if (!URL.canParse(url))
      throw new ConfigError('[database] connection: cannot be read as a URL: special characters have to be escaped');
    return createSqlStore(openPostgresql(url));
  }
  if (connection !== '' && scheme !== 'sqlite') {
    throw new ConfigError(
      `[database] connection: expected postgresql://USER:PASSWORD@HOST/DATABASE or sqlite:///PATH, got ${scheme === '' ? 'no URL' : `${scheme}://`}`,
    );
  }
  const path = connection === '' ? join(stateFolder, DATABASE_FILE) : rest.replace(/^\//, '');
  if (connection !== '' && !rest.startsWith('/'))
    throw new ConfigError('[database] connection: expected three slashes before the path: sqlite:///PATH');
  if (path === '') throw new ConfigError('[database] connection: sqlite:/// names no file');
  const absolute = isAbsolute(path) ? path : join(stateFolder, path);
  try {
    mkdirSync(dirname(absolute), { recursive: true, mode: 0o750 });
  } catch (error) {
    throw new ConfigError(`${dirname(absolute)} cannot be made: ${describeError(error)}`, { cause: error });
  }
  return openSqliteThread(absolute);
}
