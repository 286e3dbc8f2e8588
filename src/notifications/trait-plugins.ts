/** The plugins that come with Ceilometer for traits and meters. */
import { splitText } from '../jsonpath/evaluate.ts';
import type { TraitPlugin } from '../notification.ts';
import { parseDateTime, secondsBetween } from '../python/datetime.ts';
import { toInteger } from '../python/number.ts';
import { textOf } from '../python/text.ts';
import { asNumber, equals, floatValue, getKey, integerValue, isTrue, ValueError } from '../python/value.ts';
import { isList, isObject, type JsonObject, type JsonValue, keysOf } from '../wire/value.ts';
import { keyValue, withTextKeys } from './definition-file.ts';

/** Gets the parameters of one use of the plugin in a definition file. Throws when they are wrong. */
export type TraitPluginFactory = (parameters: JsonObject) => TraitPlugin;

function integerParameter(parameters: JsonObject, name: string, otherwise: number): number | bigint {
  const value = getKey(parameters, name);
  const number = value === undefined ? undefined : asNumber(value);
  if (value !== undefined && number?.kind !== 'int') throw new ValueError(`${name} has to be an integer`);
  return number?.kind === 'int' ? number.value : otherwise;
}

function split(parameters: JsonObject): TraitPlugin {
  const separator = getKey(parameters, 'separator') ?? '.';
  const segment = Number(integerParameter(parameters, 'segment', 0));
  const limit = Number(getKey(parameters, 'max_split') === null ? -1 : integerParameter(parameters, 'max_split', -1));
  if (typeof separator !== 'string' || separator === '') throw new ValueError('separator has to be a text');
  return {
    allValues: true,
    values: (fields) => fields.map(({ value }) => splitText(textOf(value), separator, limit).at(segment) ?? null),
  };
}

function bitfield(parameters: JsonObject): TraitPlugin {
  const initial = BigInt(integerParameter(parameters, 'initial_bitfield', 0));
  const flags = getKey(parameters, 'flags') ?? [];
  if (!isList(flags)) throw new ValueError('flags has to be a list');
  const bits = flags.map((flag) => {
    const [path, bit] = [getKey(flag, 'path'), getKey(flag, 'bit')];
    if (typeof path !== 'string' || bit === undefined) throw new ValueError('each of the flags needs path and bit');
    const place = BigInt(toInteger(bit));
    if (place < 0n) throw new ValueError(`the bit of ${path} is negative`);
    return { path, mask: 1n << place, value: getKey(flag, 'value') };
  });
  return {
    values(fields) {
      const found = new Map(fields.map(({ path, value }) => [path, value]));
      let field = initial;
      for (const { path, mask, value } of bits) {
        const actual = found.get(path);
        if (actual !== undefined && (value === undefined || equals(actual, value))) field |= mask;
      }
      return [integerValue(field)];
    },
  };
}

function timedelta(): TraitPlugin {
  return {
    values(fields) {
      const [start, end] = fields;
      if (start === undefined || end === undefined || fields.length !== 2) return [];
      try {
        return [floatValue(Math.abs(secondsBetween(parseDateTime(start.value), parseDateTime(end.value))))];
      } catch (error) {
        if (error instanceof ValueError) return [];
        throw error;
      }
    },
  };
}

function map(parameters: JsonObject): TraitPlugin {
  const values = getKey(parameters, 'values');
  if (!isTrue(values) || !isObject(values)) throw new ValueError('values has to be a mapping with at least one entry');
  const fallback = withTextKeys(getKey(parameters, 'default') ?? null);
  const caseSensitive = isTrue(getKey(parameters, 'case_sensitive') ?? true);
  const fold = (key: JsonValue) => (caseSensitive || typeof key !== 'string' ? key : caseFolded(key));
  const entries = keysOf(values).map((key) => [fold(keyValue(key)), withTextKeys(values[key] ?? null)] as const);
  const texts = new Map(entries);
  return {
    allValues: true,
    values: (fields) =>
      fields.map(({ value }) => {
        if (isList(value) || isObject(value)) throw new ValueError('a list or a dict cannot be mapped');
        const key = fold(value);
        if (typeof key === 'string') return texts.has(key) ? (texts.get(key) ?? null) : fallback;
        // Python's keys are equal across types: 1, 1.0 and True are one.
        const entry = entries.findLast(([candidate]) => equals(candidate, key));
        return entry === undefined ? fallback : entry[1];
      }),
  };
}

/** Python's `casefold()`, near enough: lower case of upper case also joins ß with ss and the forms of sigma. */
function caseFolded(text: string): string {
  return text.toUpperCase().toLowerCase().replaceAll('ς', 'σ');
}

export const traitPlugins: Readonly<Record<string, TraitPluginFactory>> = { split, bitfield, timedelta, map };
