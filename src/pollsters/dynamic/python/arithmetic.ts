/** Python's operators. */
import { byCodePoint } from '../../../wire/python-repr.ts';
import type { JsonValue, WholeFloat } from '../../../wire/value.ts';
import { EvaluationError } from './errors.ts';
import { divide, wholePower } from './rounding.ts';
import type { BinaryOperator, Comparator } from './syntax.ts';
import {
  checkSize,
  data,
  exactOf,
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
    if (isFloat(left) || isFloat(right)) return floats(operator, toNumber(left), toNumber(right));
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
      return float(floorQuotient(left, right));
    case '%':
      return float(modulo(left, right));
    case '**':
      return float(floatPower(left, right));
  }
}

/** With the sign of the right side, exactly: a quotient is rounded, a remainder is not. */
function modulo(left: number, right: number): number {
  const rest = left % right;
  if (rest === 0) return right < 0 ? -0 : 0;
  return rest < 0 === right < 0 ? rest : rest + right;
}

function floorQuotient(left: number, right: number): number {
  const rest = left % right;
  const quotient = (left - rest) / right - (rest !== 0 && rest < 0 !== right < 0 ? 1 : 0);
  if (quotient === 0) return left / right < 0 || Object.is(left / right, -0) ? -0 : 0;
  const floor = Math.floor(quotient);
  return quotient - floor > 0.5 ? floor + 1 : floor;
}

function floatPower(base: number, exponent: number): number {
  if (base === 0 && exponent < 0) throw new EvaluationError('ZeroDivisionError', '0 to a negative power');
  // JavaScript knows no power of 1 to what is no number.
  if (base === 1 || exponent === 0) return 1;
  const power = wholePower(base, exponent) ?? base ** exponent;
  if (Number.isNaN(power) && !Number.isNaN(base) && !Number.isNaN(exponent)) {
    throw new EvaluationError('ValueError', 'a root of a negative number');
  }
  if (!Number.isFinite(power) && Number.isFinite(base) && Number.isFinite(exponent)) {
    throw new EvaluationError('ValueError', 'the power is too large for a float');
  }
  return power;
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
      if (right === 0n) throw new EvaluationError('ZeroDivisionError', 'division by zero');
      return float(divide(left, right));
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
    return float(floatPower(Number(base), Number(exponent)));
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
    // JavaScript compares an integer of any size with a float exactly, as Python does.
    const a = exactOf(left);
    const b = exactOf(right);
    if (a < b) return -1;
    if (a > b) return 1;
    return a >= b ? 0 : Number.NaN;
  }
  if (typeof left === 'string' && typeof right === 'string') return byCodePoint(left, right);
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
