/** What a path finds in a message, with jsonpath-rw-ext's own idea of what is an error and what is just nothing. */

import { toInteger } from '../python/number.ts';
import { matchAtStart } from '../python/regex.ts';
import { asNumber, compare, equals, floatValue, getKey, integerValue, typeName, ValueError } from '../python/value.ts';
import { isList, isObject, type JsonValue, keysOf } from '../wire/value.ts';
import type { Comparison, Condition, Operand, Path } from './ast.ts';

/** A value and how it was reached. */
export interface Match {
  readonly value: JsonValue;
  readonly parent: Match | undefined;
  /** The last step of the path, as Python prints it. */
  readonly step: string;
}

/** A text of this many characters is nobody's resource id: `name * 1000000` is a mistake in a definition. */
const MAX_REPEATED = 1_000_000;

/** All that a path finds, in order. Throws a {@link ValueError} where the original raises. */
export function findAll(path: Path, value: JsonValue): readonly Match[] {
  return find(path, { value, parent: undefined, step: '' });
}

/** The path to a match as plugins and log lines see it: `payload.disks.[0].size`. */
export function pathOf(match: Match): string {
  const steps: string[] = [];
  for (let at: Match = match; at.parent !== undefined; at = at.parent) steps.unshift(at.step);
  return steps.join('.');
}

function detached(value: JsonValue): Match {
  return { value, parent: undefined, step: '' };
}

function find(path: Path, at: Match): readonly Match[] {
  switch (path.type) {
    case 'root': {
      let top = at;
      while (top.parent !== undefined) top = top.parent;
      return [top];
    }
    case 'this':
      return [at];
    case 'parent':
      return [at.parent ?? detached(null)];
    case 'fields':
      return findFields(path.names, at);
    case 'index':
      return findIndex(path.index, at);
    case 'slice':
      return findSlice(path.start, path.end, at);
    case 'child':
      return find(path.left, at).flatMap((left) => find(path.right, left));
    case 'descendants':
      return find(path.left, at).flatMap((left) => descend(path.right, left));
    case 'where':
      return find(path.left, at).filter((left) => find(path.right, left).length > 0);
    case 'union':
      return [...find(path.left, at), ...find(path.right, at)];
    case 'intersect':
      throw new ValueError("'&' between paths is not implemented");
    case 'calculate':
      return calculate(path.operator, path.left, path.right, at);
    case 'filter':
      if (!isList(at.value)) return [];
      // Each condition is looked at, because each may raise.
      return at.value.flatMap((value, index) =>
        path.conditions.filter((condition) => holds(condition, value)).length === path.conditions.length
          ? [{ value, parent: at, step: `[${index}]` }]
          : [],
      );
    case 'sorted':
      return [detached(sorted(at.value, path.by))];
    case 'len':
      return length(at.value);
    case 'split':
      return split(at.value, path.separator, path.segment, path.limit);
    case 'sub': {
      if (typeof at.value !== 'string') throw new ValueError(`sub() does not take a ${typeName(at.value)}`);
      const text = path.replace(at.value);
      return text === at.value ? [] : [detached(text)];
    }
  }
}

function findFields(names: readonly string[], at: Match): readonly Match[] {
  if (!isObject(at.value)) return [];
  const found: Match[] = [];
  for (const step of names.includes('*') ? keysOf(at.value) : names) {
    const value = getKey(at.value, step);
    if (value !== undefined) found.push({ value, parent: at, step });
  }
  return found;
}

function findIndex(index: number, at: Match): readonly Match[] {
  const { value } = at;
  if (!isList(value) && typeof value !== 'string' && !isObject(value)) {
    throw new ValueError(`object of type '${typeName(value)}' has no len()`);
  }
  const items = isObject(value) ? keysOf(value) : typeof value === 'string' ? [...value] : value;
  if (items.length <= index) return [];
  if (isObject(value)) throw new ValueError(`a dict has no item ${index}`);
  const item = items.at(index);
  if (item === undefined) throw new ValueError('list index out of range');
  return [{ value: item, parent: at, step: `[${index}]` }];
}

function findSlice(start: number | undefined, end: number | undefined, at: Match): readonly Match[] {
  let source = at;
  const number = asNumber(at.value);
  if (isObject(at.value) || typeof at.value === 'string' || number?.kind === 'int')
    source = { ...at, value: [at.value] };
  const list = source.value;
  if (!isList(list)) throw new ValueError(`object of type '${typeName(list)}' has no len()`);
  const bound = (index: number) => (index < 0 ? Math.max(list.length + index, 0) : Math.min(index, list.length));
  const found: Match[] = [];
  for (let index = bound(start ?? 0); index < bound(end ?? list.length); index++) {
    found.push({ value: list[index] ?? null, parent: source, step: `[${index}]` });
  }
  return found;
}

function descend(right: Path, at: Match): readonly Match[] {
  const found = [...find(right, at)];
  const { value } = at;
  if (isList(value)) {
    value.forEach((item, index) => {
      found.push(...descend(right, { value: item, parent: at, step: `[${index}]` }));
    });
  } else if (isObject(value)) {
    for (const step of keysOf(value)) found.push(...descend(right, { value: value[step] ?? null, parent: at, step }));
  }
  return found;
}

function length(value: JsonValue): readonly Match[] {
  if (typeof value === 'string') return [detached([...value].length)];
  if (isList(value)) return [detached(value.length)];
  return isObject(value) ? [detached(keysOf(value).length)] : [];
}

function split(value: JsonValue, separator: string, segment: number, limit: number): readonly Match[] {
  if (typeof value !== 'string') return [];
  const parts = splitText(value, separator, limit);
  const part = parts[segment];
  return part === undefined ? [] : [detached(part)];
}

/** Python's `text.split(separator, limit)`: what is left over stays in the last part; -1 is no limit. */
export function splitText(text: string, separator: string, limit: number): readonly string[] {
  const parts = text.split(separator);
  if (limit < 0 || parts.length <= limit + 1) return parts;
  return [...parts.slice(0, limit), parts.slice(limit).join(separator)];
}

function sorted(value: JsonValue, by: (Path & { type: 'sorted' })['by']): JsonValue {
  const list = isList(value) ? value : isObject(value) && by === undefined ? keysOf(value) : undefined;
  if (list === undefined) throw new ValueError(`a ${typeName(value)} cannot be sorted`);
  if (by === undefined) return list.toSorted(compare);
  return list.toSorted((left, right) => {
    for (const { path, descending } of by) {
      const [a, b] = [findAll(path, left), findAll(path, right)];
      const [x, y] = [a[0]?.value, b[0]?.value];
      if (a.length !== 1 || b.length !== 1 || x === undefined || y === undefined || equals(x, y)) continue;
      return compare(x, y) < 0 !== descending ? -1 : 1;
    }
    return 0;
  });
}

function holds(condition: Condition, element: JsonValue): boolean {
  const found = findAll(condition.path, element);
  const { compare: test } = condition;
  if (test === undefined) return found.length > 0;
  const wanted = test.float ? floatValue(Number(test.value)) : test.value;
  // The original takes booleans for integers here, and cuts fractions off before it compares.
  const integral = typeof test.value === 'boolean' || (typeof test.value === 'number' && !test.float);
  const passed = found.filter(({ value }) => {
    if (value === null) return false;
    if (!integral) return holdsFor(test.operator, value, wanted);
    const integer = integerOf(value);
    return integer !== undefined && holdsFor(test.operator, integer, wanted);
  });
  return passed.length > 0;
}

function integerOf(value: JsonValue): JsonValue | undefined {
  if (isList(value) || isObject(value) || value === Number.POSITIVE_INFINITY || value === Number.NEGATIVE_INFINITY) {
    return toInteger(value);
  }
  try {
    return toInteger(value);
  } catch {
    return undefined;
  }
}

function holdsFor(operator: Comparison, value: JsonValue, wanted: JsonValue): boolean {
  switch (operator) {
    case '=':
    case '==':
      return equals(value, wanted);
    case '!=':
      return !equals(value, wanted);
    case '<':
      return compare(value, wanted) < 0;
    case '<=':
      return compare(value, wanted) <= 0;
    case '>':
      return compare(value, wanted) > 0;
    case '>=':
      return compare(value, wanted) >= 0;
    case '~':
      if (typeof value !== 'string' || typeof wanted !== 'string') throw new ValueError("'~' compares strings");
      return compiled(wanted).test(value);
  }
}

const expressions = new Map<string, RegExp>();

function compiled(pattern: string): RegExp {
  let regex = expressions.get(pattern);
  if (regex === undefined) {
    try {
      regex = matchAtStart(pattern);
    } catch {
      throw new ValueError(`'${pattern}' is not a regular expression`);
    }
    // The patterns come from definition files, so there are only so many.
    expressions.set(pattern, regex);
  }
  return regex;
}

type Operator = '+' | '-' | '*';

function calculate(operator: Operator, left: Operand, right: Operand, at: Match): readonly Match[] {
  const values = (side: Operand) => (side.type === 'constant' ? undefined : find(side, at).map(({ value }) => value));
  const constant = (side: Operand) =>
    side.type !== 'constant' ? null : side.float ? floatValue(Number(side.value)) : side.value;
  const [lefts, rights] = [values(left), values(right)];
  if (lefts !== undefined && rights !== undefined && lefts.length !== rights.length) return [];
  const results: Match[] = [];
  for (let index = 0; index < (lefts ?? rights ?? [null]).length; index++) {
    const result = apply(operator, lefts?.[index] ?? constant(left), rights?.[index] ?? constant(right));
    if (result === undefined) return [];
    results.push(detached(result));
  }
  return results;
}

/** Undefined where Python has no such operation for the two types. */
function apply(operator: Operator, left: JsonValue, right: JsonValue): JsonValue | undefined {
  const [a, b] = [asNumber(left), asNumber(right)];
  if (a !== undefined && b !== undefined) {
    if (a.kind === 'float' || b.kind === 'float') return floatResult(operator, Number(a.value), Number(b.value));
    return integerResult(operator, a.value, b.value);
  }
  if (operator === '+') {
    if (typeof left === 'string' && typeof right === 'string') return left + right;
    return isList(left) && isList(right) ? [...left, ...right] : undefined;
  }
  if (operator !== '*') return undefined;
  if (b?.kind === 'int') return repeat(left, Number(b.value));
  return a?.kind === 'int' ? repeat(right, Number(a.value)) : undefined;
}

function floatResult(operator: Operator, left: number, right: number): JsonValue {
  const result = operator === '+' ? left + right : operator === '-' ? left - right : left * right;
  return floatValue(result);
}

function integerResult(operator: Operator, left: number | bigint, right: number | bigint): JsonValue {
  if (typeof left === 'number' && typeof right === 'number') {
    const result = operator === '+' ? left + right : operator === '-' ? left - right : left * right;
    if (Number.isSafeInteger(result)) return result === 0 ? 0 : result;
  }
  const [a, b] = [BigInt(left), BigInt(right)];
  return integerValue(operator === '+' ? a + b : operator === '-' ? a - b : a * b);
}

function repeat(value: JsonValue, count: number): JsonValue | undefined {
  if (typeof value !== 'string' && !isList(value)) return undefined;
  if (value.length * count > MAX_REPEATED) throw new ValueError(`repeating a value ${count} times makes it too long`);
  if (typeof value === 'string') return value.repeat(Math.max(count, 0));
  return Array.from({ length: Math.max(count, 0) }, () => value).flat();
}
