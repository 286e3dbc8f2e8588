/** Python's `int()` and `float()`. */

import type { JsonValue } from '../wire/value.ts';
import { reprOf } from './text.ts';
import { asNumber, integerValue, typeName, ValueError } from './value.ts';

const asciiSpace = /^[\t-\r ]+|[\t-\r ]+$/g;
// In a text beyond ASCII Python also takes NEL and the information separators for space, but never U+FEFF.
const control = String.raw`\s\u001c-\u001f\u0085`;
const anySpace = new RegExp(`^[${control}]+|[${control}]+$`, 'g');

function bare(text: string): string {
  if (!/[\u0080-\uffff]/.test(text)) return text.replace(asciiSpace, '');
  return text.includes('\ufeff') ? text : asciiDigits(text.replace(anySpace, ''));
}

/** Decimal digits of any script count for Python: each block of ten starts at a multiple that only Unicode knows. */
function asciiDigits(text: string): string {
  return text.replace(/\p{Nd}/gu, (digit) => {
    const code = digit.codePointAt(0) ?? 0;
    if (code < 0x80) return digit;
    let zero = code;
    while (code - zero < 9 && /\p{Nd}/u.test(String.fromCodePoint(zero - 1))) zero--;
    // Adjacent blocks of digits exist only among the mathematical ones, which start at U+1D7CE.
    return String(code >= 0x1d7ce && code <= 0x1d7ff ? (code - 0x1d7ce) % 10 : code - zero);
  });
}

export function toInteger(value: JsonValue): number | bigint {
  if (typeof value === 'string') {
    const text = bare(value);
    if (!/^[-+]?[0-9]+(?:_[0-9]+)*$/.test(text)) {
      throw new ValueError(`invalid literal for int() with base 10: ${reprOf(value)}`);
    }
    const digits = text.replaceAll('_', '');
    if (digits.length > 4300) throw new ValueError('an integer has too many digits');
    return digits.startsWith('-')
      ? integerValue(-BigInt(digits.slice(1)))
      : integerValue(BigInt(digits.replace('+', '')));
  }
  const number = asNumber(value);
  if (number === undefined) throw new ValueError(`int() does not take a ${typeName(value)}`);
  if (number.kind === 'int') return number.value;
  if (!Number.isFinite(number.value)) throw new ValueError(`cannot convert float ${reprOf(value)} to integer`);
  return integerValue(BigInt(Math.trunc(number.value)));
}

const decimal =
  /^[-+]?(?:(?:[0-9]+(?:_[0-9]+)*)?\.[0-9]+(?:_[0-9]+)*|[0-9]+(?:_[0-9]+)*\.?)(?:[eE][-+]?[0-9]+(?:_[0-9]+)*)?$/;

/** The text as a float, or `undefined` where Python sees none in it. */
export function parseFloatText(value: string): number | undefined {
  const text = bare(value);
  if (decimal.test(text)) return Number(text.replaceAll('_', ''));
  const word = /^([-+]?)(inf|infinity|nan)$/i.exec(text);
  if (word === null) return undefined;
  if (word[2]?.toLowerCase() === 'nan') return Number.NaN;
  return word[1] === '-' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
}

export function toFloat(value: JsonValue): number {
  if (typeof value === 'string') {
    const number = parseFloatText(value);
    if (number === undefined) throw new ValueError(`could not convert string to float: ${reprOf(value)}`);
    return number;
  }
  const number = asNumber(value);
  if (number === undefined) throw new ValueError(`float() does not take a ${typeName(value)}`);
  const float = Number(number.value);
  if (number.kind === 'int' && !Number.isFinite(float)) throw new ValueError('integer too large to convert to float');
  return float;
}
