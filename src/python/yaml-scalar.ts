/** What PyYAML's `safe_load` makes of a plain scalar: YAML 1.1, with its own idea of what a number looks like. */
import type { JsonValue } from '../wire/value.ts';
import { floatValue, integerValue } from './value.ts';

const nothing = /^(?:~|null|Null|NULL)?$/;
const yes = /^(?:yes|Yes|YES|true|True|TRUE|on|On|ON)$/;
const no = /^(?:no|No|NO|false|False|FALSE|off|Off|OFF)$/;
const integer = /^[-+]?(?:0b_*[01][01_]*|0x_*[0-9a-fA-F][0-9a-fA-F_]*|0[0-7_]*|[1-9][0-9_]*(?::[0-5]?[0-9])*)$/;
// An exponent needs a point before it and a sign of its own: `1e3` is a text.
const float =
  /^(?:[-+]?[0-9][0-9_]*\.[0-9_]*(?:[eE][-+][0-9]+)?|\.[0-9][0-9_]*(?:[eE][-+][0-9]+)?|[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+\.[0-9_]*)$/;
const infinity = /^[-+]?\.(?:inf|Inf|INF)$/;
const notANumber = /^\.(?:nan|NaN|NAN)$/;

/** Dates stay the texts that they look like, because nothing in a definition can be one. */
export function plainScalar(source: string): JsonValue {
  if (nothing.test(source)) return null;
  if (yes.test(source)) return true;
  if (no.test(source)) return false;
  if (notANumber.test(source)) return Number.NaN;
  const isNegative = source.startsWith('-');
  if (infinity.test(source)) return isNegative ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  const digits = source.replaceAll('_', '').replace(/^[-+]/, '');
  if (integer.test(source)) {
    const size = integerSize(digits);
    return integerValue(isNegative ? -size : size);
  }
  if (!float.test(source)) return source;
  const size = digits.split(':').reduce((total, part) => total * 60 + Number(part), 0);
  return floatValue(isNegative ? -size : size);
}

function integerSize(digits: string): bigint {
  if (/^0[0-7]+$/.test(digits)) return BigInt(`0o${digits}`);
  return digits.split(':').reduce((total, part) => total * 60n + BigInt(part), 0n);
}
