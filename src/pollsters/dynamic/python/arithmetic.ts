/** Python's operators. */
import type { JsonValue, WholeFloat } from '../../../wire/value.ts';
import { EvaluationError } from './errors.ts';
import type { BinaryOperator, Comparator } from './syntax.ts';
import {
  checkSize,
  data,
  float,
  integer,
  isDict,
  isEqual,
  isFloat,
  isNumber,
  isSequence,
  iterate,
  member,
  toInteger,
  toNumber,
  typeName,
  type Value,
} from './values.ts';

export function binary(operator: BinaryOperator, left: Value, right: Value): JsonValue {
  if (isNumber(left) && isNumber(right)) {
    if (isFloat(left) || isFloat(right) || operator === '/') {
      return floats(operator, toNumber(left), toNumber(right));
    }
    return integers(operator, toInteger(left), toInteger(right));
  }
  if (operator === '+' && typeof left === 'string' && typeof right === 'string') {
    checkSize(left.length + right.length, 'text');
    return left + right;
  }
  if (operator === '+' && isSequence(left) && isSequence(right)) {
    checkSize(left.length + right.length, 'list');
    return [...left, ...right];
  }
  if (operator === '*' && isCount(right)) return repeated(left, toNumber(right));
  if (operator === '*' && isCount(left)) return repeated(right, toNumber(left));
  throw new EvaluationError('TypeError', `${operator} of ${typeName(left)} and ${typeName(right)}`);
}

function isCount(value: Value): value is number | bigint | boolean {
  return isNumber(value) && !isFloat(value);
}

function repeated(value: Value, count: number): JsonValue {
  const times = Math.max(0, count);
  if (typeof value === 'string') {
    checkSize(value.length * times, 'text');
    return value.repeat(times);
  }
  if (isSequence(value)) {
    checkSize(value.length * times, 'list');
    return Array.from({ length: times }, () => value).flat(1);
  }
  throw new EvaluationError('TypeError', `* of ${typeName(value)} and int`);
}

function floats(operator: BinaryOperator, left: number, right: number): number | WholeFloat {
  if (right === 0 && (operator === '/' || operator === '//' || operator === '%')) {
    throw new EvaluationError('ZeroDivisionError', 'division by zero');
  }
  switch (operator) {
    case '+':
      return float(left + right);
    case '-':
      return float(left - right);
    case '*':
      return float(left * right);
    case '/':
      return float(left / right);
    case '//':
      return float(Math.floor(left / right));
    case '%':
      return float(left - right * Math.floor(left / right));
    case '**':
      return float(left ** right);
  }
}

function integers(operator: BinaryOperator, left: bigint, right: bigint): number | bigint | WholeFloat {
  switch (operator) {
    case '+':
      return integer(left + right);
    case '-':
      return integer(left - right);
    case '*':
      return integer(left * right);
    case '//':
      return integer(floorDivision(left, right));
    case '%':
      return integer(left - right * floorDivision(left, right));
    case '**':
      return power(left, right);
    case '/':
      return floats('/', Number(left), Number(right));
  }
}

function floorDivision(left: bigint, right: bigint): bigint {
  if (right === 0n) throw new EvaluationError('ZeroDivisionError', 'division by zero');
  const quotient = left / right;
  return left % right !== 0n && left < 0n !== right < 0n ? quotient - 1n : quotient;
}

function power(base: bigint, exponent: bigint): number | bigint | WholeFloat {
  if (exponent < 0n) {
    if (base === 0n) throw new EvaluationError('ZeroDivisionError', '0 to a negative power');
    return float(Number(base) ** Number(exponent));
  }
  const bits = BigInt(base.toString(2).length);
  if (bits * exponent > 20_000n && base !== 1n && base !== -1n && base !== 0n) {
    throw new EvaluationError('limit', 'the integer is too large');
  }
  return integer(base === 1n || base === 0n ? base ** (exponent === 0n ? 0n : 1n) : base ** reduced(base, exponent));
}

/** -1 to a huge power needs only to know whether it is even. */
function reduced(base: bigint, exponent: bigint): bigint {
  return base === -1n ? exponent % 2n : exponent;
}

export function compare(comparator: Comparator, left: Value, right: Value): boolean {
  switch (comparator) {
    case '==':
      return isEqual(left, right);
    case '!=':
      return !isEqual(left, right);
    case 'in':
      return isIn(left, right);
    case 'not in':
      return !isIn(left, right);
    case 'is':
      return isSame(left, right);
    case 'is not':
      return !isSame(left, right);
    case '<':
      return order(left, right) < 0;
    case '<=':
      return order(left, right) <= 0;
    case '>':
      return order(left, right) > 0;
    case '>=':
      return order(left, right) >= 0;
  }
}

function isIn(item: Value, container: Value): boolean {
  if (typeof container === 'string') {
    if (typeof item === 'string') return container.includes(item);
    throw new EvaluationError('TypeError', `in of ${typeName(item)} and str`);
  }
  if (isDict(container)) return typeof item === 'string' && member(container, item) !== undefined;
  return iterate(container).some((one) => isEqual(one, item));
}

/** None, True and False are one object each; of anything else identity says nothing here. */
function isSame(left: Value, right: Value): boolean {
  return typeName(left) === typeName(right) && isEqual(left, right);
}

/** Below, at or above 0, as the left is below, at or above the right; NaN where there is no order. */
export function order(left: Value, right: Value): number {
  if (isNumber(left) && isNumber(right)) {
    const exact = !isFloat(left) && !isFloat(right);
    const a = exact ? toInteger(left) : toNumber(left);
    const b = exact ? toInteger(right) : toNumber(right);
    if (a < b) return -1;
    if (a > b) return 1;
    return a === b ? 0 : Number.NaN;
  }
  if (typeof left === 'string' && typeof right === 'string') return left < right ? -1 : Number(left > right);
  if (isSequence(left) && isSequence(right)) {
    for (let at = 0; at < Math.min(left.length, right.length); at += 1) {
      const a = data(left[at] ?? null);
      const b = data(right[at] ?? null);
      if (!isEqual(a, b)) return order(a, b);
    }
    return left.length - right.length;
  }
  throw new EvaluationError('TypeError', `${typeName(left)} and ${typeName(right)} have no order`);
}

export function sign(operator: '+' | '-', value: Value): JsonValue {
  if (!isNumber(value)) throw new EvaluationError('TypeError', `${operator} of ${typeName(value)}`);
  if (isFloat(value)) return float(operator === '-' ? -toNumber(value) : toNumber(value));
  return integer(operator === '-' ? -toInteger(value) : toInteger(value));
}
