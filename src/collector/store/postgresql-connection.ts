/** Connections to PostgreSQL, and the values that go there. */
import pg from 'pg';
import { ConfigError, describeError, ServiceError } from '../../errors.ts';
import type { SqlRow } from './database.ts';

const CONNECTIONS = 4;
const CONNECT_TIMEOUT = 10_000;
/** Milliseconds for one statement. */
const STATEMENT_TIMEOUT = 120_000;
const INT8 = 20;

export type Query = (sql: string, values?: readonly unknown[]) => Promise<readonly SqlRow[]>;

export interface Connections {
  /** Lends one. Whatever work rejects with, the next one starts on a connection that is sound. */
  use<T>(work: (query: Query) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

/** Connects with the first call. `url` is a URL of libpq's form. */
export function openConnections(url: string): Connections {
  const pool = new pg.Pool({
    connectionString: url,
    max: CONNECTIONS,
    connectionTimeoutMillis: CONNECT_TIMEOUT,
    statement_timeout: STATEMENT_TIMEOUT,
    application_name: 'ceilometer-collector',
    types: { getTypeParser: (type, format) => (type === INT8 ? integerOf : pg.types.getTypeParser(type, format)) },
  });
  // An idle connection that breaks is replaced when the next one is needed.
  pool.on('error', () => {});
  // The statement under way, or the next one, rejects.
  const ended = () => {};

  return {
    async use(work) {
      let client: pg.PoolClient | undefined;
      let broken: Error | undefined;
      try {
        client = await pool.connect();
        // The pool listens only to those that nobody has; the end of one is an error that would end the process.
        client.on('error', ended);
        const connection = client;
        return await work(async (sql, values = []) => (await connection.query<SqlRow>(sql, [...values])).rows);
      } catch (error) {
        broken = error instanceof Error ? error : new Error(String(error));
        if (error instanceof ConfigError) throw error;
        throw new ServiceError(`PostgreSQL: ${describeError(error)}`, { cause: error });
      } finally {
        // After a failed statement nobody knows what state it is in.
        client?.release(broken);
        client?.off('error', ended);
      }
    },
    close: () => pool.end(),
  };
}

/** Numbers as an array of PostgreSQL: much cheaper than element by element, as the client does it. */
export function numbers(values: Iterable<number | bigint | null>): string {
  return `{${Array.from(values, (value) => value ?? 'NULL').join(',')}}`;
}

function integerOf(text: string): number | bigint {
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : BigInt(text);
}
