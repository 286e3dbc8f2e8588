/** Whole numbers of any size, as a number where one holds it exactly. */
export type Integer = number | bigint;

const PYTHON_INT = /^[+-]?\d+(_\d+)*$/;

/** What Python's `int()` takes; undefined for anything else. */
export function parseInteger(text: string): Integer | undefined {
  const trimmed = text.trim();
  if (!PYTHON_INT.test(trimmed)) return undefined;
  const digits = trimmed.replaceAll('_', '').replace('+', '');
  return compact(digits.startsWith('-') ? -BigInt(digits.slice(1)) : BigInt(digits));
}

export function subtract(a: Integer, b: Integer): Integer {
  return compact(BigInt(a) - BigInt(b));
}

function compact(value: bigint): Integer {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}
