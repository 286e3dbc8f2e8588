/** Dates as oslo.utils reads them (the iso8601 package) and as Python's `datetime` prints them. */

import type { JsonValue } from '../wire/value.ts';
import { reprOf } from './text.ts';
import { typeName, ValueError } from './value.ts';

/** A moment on the wall clock of its own zone. Whole seconds and microseconds apart: together they pass 2^53. */
export interface DateTime {
  /** Seconds since 1970 on the local clock. */
  readonly seconds: number;
  readonly micros: number;
  readonly offsetMinutes: number;
}

// Python's `$` also matches before a newline at the end.
const shape = new RegExp(
  '^([0-9]{4})' +
    '(?:(?:-([0-9]{1,2})|([0-9]{2})(?!\\n?$))' +
    '(?:(?:-([0-9]{1,2})|([0-9]{2}))' +
    '(?:[ T]([0-9]{2})(?::?([0-9]{2}))?(?::?([0-9]{1,2})(?:[.,]([0-9]+))?)?' +
    '(Z|([-+])([0-9]{2}):?([0-9]{2})?)?)?' +
    ')?)?\\n?$',
);

const FIRST_SECOND = -62_135_596_800;
const LAST_SECOND = 253_402_300_799;

function days(year: number, month: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}

/** Reads a date as `oslo_utils.timeutils.parse_isotime` does: a zone that is missing is UTC. */
export function parseDateTime(value: JsonValue): DateTime {
  if (typeof value !== 'string') throw new ValueError(`expected a date string, got ${typeName(value)}`);
  const match = shape.exec(value);
  if (match === null) throw new ValueError(`unable to parse date string ${reprOf(value)}`);
  const year = Number(match[1]);
  const month = Number(match[2] ?? match[3] ?? 1);
  const day = Number(match[4] ?? match[5] ?? 1);
  const hour = Number(match[6] ?? 0);
  const minute = Number(match[7] ?? 0);
  const second = Number(match[8] ?? 0);
  const offset = (match[11] === '-' ? -1 : 1) * (Number(match[12] ?? 0) * 60 + Number(match[13] ?? 0));
  const inRange =
    year >= 1 && month >= 1 && month <= 12 && day >= 1 && day <= days(year, month) && hour < 24 && minute < 60;
  if (!inRange || second > 59 || Math.abs(offset) >= 24 * 60) {
    throw new ValueError(`no such date: ${reprOf(value)}`);
  }
  const date = new Date(0);
  const midnight = date.setUTCFullYear(year, month - 1, day) / 1000;
  const micros = Number((match[9] ?? '').slice(0, 6).padEnd(6, '0'));
  return { seconds: midnight + hour * 3600 + minute * 60 + second, micros, offsetMinutes: offset === 0 ? 0 : offset };
}

/** The same moment on the UTC clock. Throws where that falls outside the years 1 to 9999. */
export function toUtc(when: DateTime): DateTime {
  const seconds = when.seconds - when.offsetMinutes * 60;
  if (seconds < FIRST_SECOND || seconds > LAST_SECOND) throw new ValueError('date value out of range');
  return { seconds, micros: when.micros, offsetMinutes: 0 };
}

function clock(when: DateTime): string {
  // toISOString() has a sign and six digits for the year outside 0000 to 9999, which cannot occur here.
  const whole = new Date(when.seconds * 1000).toISOString().slice(0, 19);
  return when.micros === 0 ? whole : `${whole}.${String(when.micros).padStart(6, '0')}`;
}

/** `isoformat()` of a datetime without a zone. */
export function naiveIso(when: DateTime): string {
  return clock(when);
}

/** `isoformat()` of a datetime with a zone. */
export function zonedIso(when: DateTime): string {
  const size = Math.abs(when.offsetMinutes);
  const two = (part: number) => String(part).padStart(2, '0');
  return `${clock(when)}${when.offsetMinutes < 0 ? '-' : '+'}${two(Math.floor(size / 60))}:${two(size % 60)}`;
}

/** Seconds from one moment to another. */
export function secondsBetween(start: DateTime, end: DateTime): number {
  const seconds = end.seconds - end.offsetMinutes * 60 - (start.seconds - start.offsetMinutes * 60);
  const micros = end.micros - start.micros;
  const total = seconds * 1e6 + micros;
  if (Number.isSafeInteger(total)) return total / 1e6;
  // A division of two rounded numbers would round twice; a decimal text is rounded once, as Python rounds.
  const exact = BigInt(seconds) * 1_000_000n + BigInt(micros);
  const size = exact < 0n ? -exact : exact;
  return Math.sign(seconds) * Number(`${size / 1_000_000n}.${String(size % 1_000_000n).padStart(6, '0')}`);
}
