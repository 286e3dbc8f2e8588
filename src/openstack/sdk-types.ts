/** What openstacksdk, by which upstream asks, makes of values that a service says in another type than it should. */
import { pythonRepr, pythonStr } from '../wire/python-repr.ts';
import { isList, isObject, type JsonValue, WholeFloat } from '../wire/value.ts';

export type SdkType = 'boolean' | 'integer' | 'float' | 'text' | 'list';

/** As openstack/fields.py; null stays null. */
export function asSdkType(value: JsonValue, type: SdkType): JsonValue {
  if (value === null) return null;
  switch (type) {
    case 'boolean':
      return isTrue(value);
    case 'integer':
      return asInteger(value);
    case 'float':
      return asFloat(value);
    case 'text':
      return printed(value);
    case 'list':
      return isList(value) ? value : [value];
  }
}

/** To Python any text but the empty one is true, "no" as well. */
export function isTrue(value: JsonValue): boolean {
  if (value instanceof WholeFloat) return value.value !== 0;
  if (typeof value !== 'object' || value === null) return Boolean(value) || Number.isNaN(value);
  return (isObject(value) ? Object.keys(value) : value).length > 0;
}

/** `str()` of a value. */
export function printed(value: JsonValue): string {
  return isList(value) || isObject(value) ? pythonRepr(value) : pythonStr(value);
}

/** true and false are integers to Python, and stay what they are. */
function asInteger(value: JsonValue): JsonValue {
  if (typeof value === 'boolean' || typeof value === 'bigint') return value;
  if (value instanceof WholeFloat) return whole(value.value);
  if (typeof value === 'number') return Number.isInteger(value) ? value : whole(Math.trunc(value));
  return typeof value === 'string' && /^\d+$/.test(value) ? BigInt(value) : 0;
}

function asFloat(value: JsonValue): JsonValue {
  if (value instanceof WholeFloat) return value;
  const number = typeof value === 'object' ? 0 : Number(value);
  if (Number.isNaN(number)) return new WholeFloat(0);
  return Number.isInteger(number) ? new WholeFloat(number) : number;
}

function whole(value: number): JsonValue {
  return Number.isFinite(value) ? BigInt(value) : 0;
}
