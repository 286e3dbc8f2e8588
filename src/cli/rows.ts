/** Rows of an answer as a table for people, as JSON lines, or as CSV. */

import { type Column, tableLines } from '../util/table.ts';
import { printable } from '../util/text.ts';
import { stringifyJson } from '../wire/json.ts';
import { numberStr } from '../wire/python-repr.ts';
import { isList, isObject, type JsonObject, type JsonValue, WholeFloat } from '../wire/value.ts';

export const formats = ['table', 'jsonl', 'csv'] as const;
export type Format = (typeof formats)[number];

/** Fields of the rows in the order of CSV; those with a column are in the table. */
export type Shape = readonly ShapeField[];

interface ShapeField {
  readonly field: string;
  readonly column?: Column;
}

export interface RowWriter {
  /** Text for the rows of one page. */
  add(rows: readonly JsonObject[]): string;
  /** What follows the last page. */
  end(): string;
}

/** `width` is that of the terminal, where there is one. */
export function rowWriter(format: Format, shape: Shape, width: number | undefined): RowWriter {
  if (format === 'jsonl')
    return { add: (rows) => rows.map((row) => `${stringifyJson(row)}\n`).join(''), end: () => '' };
  if (format === 'csv') return csvWriter(shape);
  const shown = shape.flatMap(({ field, column }) => (column === undefined ? [] : [{ field, column }]));
  const all: string[][] = [];
  return {
    add(rows) {
      for (const row of rows) all.push(shown.map(({ field }) => printable(cell(row[field] ?? null))));
      return '';
    },
    // Only now it is known how wide the columns are.
    end: () =>
      `${tableLines(
        shown.map(({ column }) => column),
        all,
        width,
      ).join('\n')}\n`,
  };
}

/** RFC 4180, with line feeds. */
function csvWriter(shape: Shape): RowWriter {
  let started = false;
  const line = (cells: readonly string[]) => `${cells.map(quoted).join(',')}\n`;
  function head(): string {
    if (started) return '';
    started = true;
    return line(shape.map(({ field }) => field));
  }
  return {
    add: (rows) => head() + rows.map((row) => line(shape.map(({ field }) => cell(row[field] ?? null)))).join(''),
    end: head,
  };
}

function quoted(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function cell(value: JsonValue): string {
  if (value === null) return '';
  if (typeof value === 'string') return value;
  if (typeof value === 'number') return numberStr(value);
  if (value instanceof WholeFloat) return numberStr(value.value);
  if (isList(value) && value.every((item) => typeof item === 'string')) return value.join(' ');
  if (isList(value) || isObject(value)) return stringifyJson(value);
  return String(value);
}
