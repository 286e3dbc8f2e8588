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

/** JavaScript moves keys that look like array indices to the front; an object that has any keeps their order here. */
const keyOrder = Symbol('keyOrder');

export function rememberKeyOrder(object: object, keys: readonly string[]): void {
  Object.defineProperty(object, keyOrder, { value: keys });
}

/** The keys of an object in the order of the text that it was read from. */
export function keysOf(object: JsonObject): readonly string[] {
  const order: unknown = Object.getOwnPropertyDescriptor(object, keyOrder)?.value;
  return Array.isArray(order) ? order : Object.keys(object);
}
