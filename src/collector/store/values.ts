import type { SqlValue } from './database.ts';

/** The values of a statement, in the order of their places. */
export class Values {
  readonly list: SqlValue[] = [];

  /** Returns the value's place. */
  add(value: SqlValue): string {
    this.list.push(value);
    return `$${this.list.length}`;
  }
}
