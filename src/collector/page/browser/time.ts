/** Times and spans of time for people. */
import { grouped } from '../../../util/text.ts';

/** Milliseconds since 1970 of a time as the API writes it: UTC, without a zone. */
export function millisOf(time: string): number {
  return Date.parse(`${time.slice(0, 23)}Z`);
}

/** As the API reads it. */
export function isoOf(seconds: number): string {
  return new Date(seconds * 1000).toISOString().slice(0, -1);
}

const UNITS = [
  { unit: 'd', seconds: 86_400 },
  { unit: 'h', seconds: 3600 },
  { unit: 'min', seconds: 60 },
] as const;

/** `10 s`, `5 min`, `1 h 5 min`, `3 d 4 h`: two units at most. */
export function span(seconds: number): string {
  const whole = Math.round(seconds);
  const index = UNITS.findIndex((unit) => whole >= unit.seconds);
  const big = UNITS[index];
  if (big === undefined) return `${seconds < 10 && !Number.isInteger(seconds) ? seconds.toFixed(1) : whole} s`;
  const count = Math.floor(whole / big.seconds);
  const small = UNITS[index + 1] ?? { unit: 's', seconds: 1 };
  const rest = Math.floor((whole - count * big.seconds) / small.seconds);
  const first = `${grouped(String(count))} ${big.unit}`;
  return rest === 0 || count >= 10 ? first : `${first} ${rest} ${small.unit}`;
}

/** `now`, `4 s ago`, `3 min ago`, `2 d ago`. */
export function ago(then: number, now: number): string {
  const seconds = (now - then) / 1000;
  if (seconds < 1.5) return 'now';
  const whole = Math.floor(seconds);
  const unit = UNITS.find((each) => whole >= each.seconds);
  return unit === undefined
    ? `${whole} s ago`
    : `${grouped(String(Math.floor(whole / unit.seconds)))} ${unit.unit} ago`;
}

const two = (number: number) => String(number).padStart(2, '0');

/** In the time zone of the reader: `13:05:10`, with the date in front where that is another day than today. */
export function clock(millis: number, now: number): string {
  const date = new Date(millis);
  const time = `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
  const sameDay = date.toDateString() === new Date(now).toDateString();
  return sameDay ? time : `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${time}`;
}
