/** `round()` and true division, correct to the last digit, as Python's are. */
import { EvaluationError } from './errors.ts';

/** To the nearest multiple of 10 to the power of `-places`, to the even one where two are as near. */
export function roundFloat(value: number, places: number): number {
  if (!Number.isFinite(value) || places > 100) return value;
  const [whole = '0', fraction = ''] = exactDigits(Math.abs(value));
  const kept = places > 0 ? fraction.slice(0, places) : '';
  const dropped = places > 0 ? fraction.slice(places) : fraction;
  const scaled = places >= 0 ? roundedUp(BigInt(whole + kept), dropped) : roundInteger(BigInt(whole), places, dropped);
  const digits = String(scaled).padStart(kept.length + 1, '0');
  const cut = digits.length - kept.length;
  return Math.sign(value) * Number(`${digits.slice(0, cut)}.${digits.slice(cut)}`) || value * 0;
}

/** To a power of ten of the places before the point; `fraction` are digits behind it, which break a tie. */
export function roundInteger(value: bigint, places: number, fraction = ''): bigint {
  if (places >= 0) return value;
  // As many digits as there are, and one more, are rounded to 0 or to the next power.
  const power = Math.min(-places, String(value).length + 1);
  const unit = 10n ** BigInt(power);
  const size = value < 0n ? -value : value;
  const dropped = String(size % unit).padStart(power, '0') + fraction;
  const rounded = roundedUp(size / unit, dropped) * unit;
  return value < 0n ? -rounded : rounded;
}

/** The number, or the next one where the digits that are dropped are more than a half, or one half of an odd number. */
function roundedUp(kept: bigint, dropped: string): bigint {
  const half = /^50*$/.test(dropped);
  const up = half ? kept % 2n === 1n : /^[5-9]/.test(dropped);
  return up ? kept + 1n : kept;
}

/** Of a float that is not negative: all digits before the point, a hundred behind it. */
function exactDigits(value: number): readonly string[] {
  return value < 1e21 ? value.toFixed(100).split('.') : [String(BigInt(value))];
}

/** The float that is nearest to the quotient of two integers. */
export function divide(left: bigint, right: bigint): number {
  const [a, b] = [Number(left), Number(right)];
  if (Number.isSafeInteger(a) && Number.isSafeInteger(b)) return a / b;
  const negative = left < 0n !== right < 0n;
  const [dividend, divisor] = [left < 0n ? -left : left, right < 0n ? -right : right];
  // So that the quotient has more bits than a float, and what is left over can only break a tie.
  const shift = BigInt(Math.max(0, bits(divisor) - bits(dividend) + 66));
  const quotient = (dividend << shift) / divisor;
  const rest = quotient * divisor === dividend << shift ? 0n : 1n;
  const half = shift / 2n;
  // In two steps: the power alone may be too large for a float.
  const value = Number((quotient << 1n) | rest) / 2 ** Number(half) / 2 ** Number(shift - half + 1n);
  if (!Number.isFinite(value)) throw new EvaluationError('ValueError', 'the quotient is too large for a float');
  return negative ? -value : value;
}

/**
 * A float to a whole power, where that is small enough to be worked out exactly; JavaScript's is off by one digit at
 * times.
 */
export function wholePower(base: number, exponent: number): number | undefined {
  const size = Math.abs(exponent);
  if (!Number.isInteger(exponent) || size > 32 || !Number.isFinite(base) || base === 0) return undefined;
  const twos = Math.max(0, 52 - Math.floor(Math.log2(Math.abs(base))));
  if (twos > 300 || Math.abs(base) > 2 ** 300) return undefined;
  const power = BigInt(base * 2 ** twos) ** BigInt(size);
  const scale = 1n << BigInt(twos * size);
  return exponent < 0 ? divide(scale, power) : divide(power, scale);
}

function bits(value: bigint): number {
  return value.toString(2).length;
}
