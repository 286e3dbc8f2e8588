/** Prometheus' text format, version 0.0.4: metric families in, text out. */

export type Labels = Readonly<Record<string, string>>;

export interface Measurement {
  /** Comes after the family's name: `_sum`, `_count`. */
  readonly suffix?: string;
  readonly labels?: Labels;
  readonly value: number | bigint;
}

export interface Family {
  /** Of letters, digits, `_` and `:`; that of a counter ends in `_total`. */
  readonly name: string;
  readonly type: 'counter' | 'gauge' | 'summary' | 'untyped';
  readonly help: string;
  readonly measurements: Iterable<Measurement>;
}

export const CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/** The text of families of different names, a piece for each; one without measurements is left out. */
export function* exposition(families: Iterable<Family>): Generator<string> {
  for (const { name, type, help, measurements } of families) {
    let lines = '';
    for (const { suffix = '', labels, value } of measurements) {
      lines += `${name}${suffix}${labels === undefined ? '' : braced(labels)} ${numberText(value)}\n`;
    }
    if (lines !== '') yield `# HELP ${name} ${help.replace(/[\\\n]/g, escaped)}\n# TYPE ${name} ${type}\n${lines}`;
  }
}

function braced(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${value.replace(/[\\\n"]/g, escaped)}"`);
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}

function escaped(character: string): string {
  return character === '\n' ? '\\n' : `\\${character}`;
}

function numberText(value: number | bigint): string {
  if (value === Number.POSITIVE_INFINITY) return '+Inf';
  if (value === Number.NEGATIVE_INFINITY) return '-Inf';
  return String(value);
}
