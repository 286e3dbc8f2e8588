/** Values of messages, as JSON carries them between Python programs and us. */

/**
 * A float that happens to be whole: Python prints 32.0 where a JavaScript number has only 32. Anything that is hashed
 * as text needs the difference.
 */
export class WholeFloat {
  readonly value: number;

  constructor(value: number) {
    this.value = value;
  }
}

/** A whole `number` is an integer to Python, any other a float; a `bigint` is an integer of any size. */
export type JsonValue = string | number | bigint | boolean | null | WholeFloat | readonly JsonValue[] | JsonObject;

export interface JsonObject {
  readonly [key: string]: JsonValue;
}

export function isList(value: JsonValue): value is readonly JsonValue[] {
  return Array.isArray(value);
}

export function isObject(value: JsonValue): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof WholeFloat);
}
