import type { Writable } from 'node:stream';
import type { Sample } from '../sample.ts';
import { alignPoints, quantity } from '../util/quantity.ts';
import { type Column, tableLines } from '../util/table.ts';
import { plural, printable, truncateMiddle } from '../util/text.ts';
import type { CycleReport, Output, PollsterFailure } from './output.ts';
import { StreamWriter } from './stream-writer.ts';

/** A stream that may be a terminal. */
type TerminalStream = Writable & { readonly isTTY?: boolean; readonly columns?: number };

export interface TableOutputOptions {
  readonly stream: TerminalStream;
  /** `NO_COLOR` and `TERM` count; the process's own where left out. */
  readonly env?: NodeJS.ProcessEnv;
  /** Called once when there is nobody left to read, e.g. after `| head`. */
  readonly onGone?: () => void;
  /** On a terminal, a cycle with more samples than this is shown one row a meter. */
  readonly foldAbove?: number;
  /** One line a cycle, without the samples. */
  readonly headlines?: boolean;
}

/** A terminal keeps some thousand lines; more than this in each cycle nobody reads. */
const FOLD_ABOVE = 400;

const RESOURCE_COLUMNS: readonly Column[] = [
  { title: 'RESOURCE', shrinks: true },
  { title: 'METER', shrinks: true },
  { title: 'VALUE', align: 'right' },
  { title: '' },
];

const METER_COLUMNS: readonly Column[] = [
  { title: 'METER', shrinks: true },
  { title: 'RESOURCES', align: 'right' },
  { title: 'LOWEST', align: 'right' },
  { title: '' },
  { title: 'HIGHEST', align: 'right' },
  { title: '' },
];

type Style = (text: string) => string;

interface Styles {
  readonly title: Style;
  readonly bad: Style;
}

function stylesFor(stream: TerminalStream, env: NodeJS.ProcessEnv): Styles {
  const plain: Style = (text) => text;
  if (stream.isTTY !== true || env['NO_COLOR'] || env['TERM'] === 'dumb') return { title: plain, bad: plain };
  return { title: (text) => `\u001b[1m${text}\u001b[0m`, bad: (text) => `\u001b[31m${text}\u001b[0m` };
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** The id, after the name that a person gave it. */
function resourceLabel({ resourceId, metadata }: Sample): string {
  const name = metadata['display_name'];
  return printable(typeof name === 'string' && name !== '' ? `${name} (${resourceId})` : resourceId);
}

/** A row a sample, by resource and then by meter; a resource is named in the first of its rows. */
function resourceRows(samples: readonly Sample[]): string[][] {
  const sorted = [...samples].sort((a, b) => compareText(a.resourceId, b.resourceId) || compareText(a.name, b.name));
  const quantities = sorted.map(({ volume, unit }) => quantity(volume, printable(unit)));
  const numbers = alignPoints(quantities.map(({ number }) => number));
  return sorted.map((sample, index) => {
    const again = index > 0 && sorted[index - 1]?.resourceId === sample.resourceId;
    return [
      again ? '' : resourceLabel(sample),
      printable(sample.name),
      numbers[index] ?? '',
      quantities[index]?.unit ?? '',
    ];
  });
}

interface MeterRange {
  readonly name: string;
  readonly unit: string;
  readonly resources: Set<string>;
  lowest: number | bigint;
  highest: number | bigint;
}

/** A row a meter, for more samples than anyone reads. */
function meterRows(samples: readonly Sample[]): string[][] {
  const ranges = new Map<string, MeterRange>();
  for (const { name, unit, volume, resourceId } of samples) {
    const key = `${name}\n${unit}`;
    const range = ranges.get(key) ?? { name, unit, resources: new Set(), lowest: volume, highest: volume };
    ranges.set(key, range);
    range.resources.add(resourceId);
    if (volume < range.lowest) range.lowest = volume;
    if (volume > range.highest) range.highest = volume;
  }
  const sorted = [...ranges.values()].sort((a, b) => compareText(a.name, b.name));
  const low = sorted.map(({ lowest, unit }) => quantity(lowest, printable(unit)));
  const high = sorted.map(({ highest, unit }) => quantity(highest, printable(unit)));
  const lowNumbers = alignPoints(low.map(({ number }) => number));
  const highNumbers = alignPoints(high.map(({ number }) => number));
  return sorted.map(({ name, resources }, index) => [
    printable(name),
    String(resources.size),
    lowNumbers[index] ?? '',
    low[index]?.unit ?? '',
    highNumbers[index] ?? '',
    high[index]?.unit ?? '',
  ]);
}

function clockTime(milliseconds: number): string {
  const time = new Date(milliseconds);
  return [time.getHours(), time.getMinutes(), time.getSeconds()].map((part) => String(part).padStart(2, '0')).join(':');
}

function duration(seconds: number): string {
  return seconds < 1 ? `${Math.round(seconds * 1000)} ms` : `${seconds.toFixed(2)} s`;
}

/** A line for each reason, with all that failed for it. */
function failureLines(failures: readonly PollsterFailure[]): string[] {
  const byReason = new Map<string, string[]>();
  for (const { source, pollster, message } of failures) {
    const reason = printable(message);
    byReason.set(reason, [...(byReason.get(reason) ?? []), printable(`${source}/${pollster}`)]);
  }
  return [...byReason].map(([reason, [first = '', ...others]]) => {
    const more = others.length > 0 ? ` and ${plural(others.length, 'other')}` : '';
    return `  failed: ${first}${more}: ${reason}`;
  });
}

function summary({ startedAt, sources, samples, pollsters, seconds, failures, missedSlots, interval }: CycleReport): {
  readonly headline: string;
  readonly complaints: readonly string[];
} {
  const counts = `${plural(samples, 'sample')} of ${plural(pollsters, 'pollster')} in ${duration(seconds)}`;
  const failed = failures.length > 0 ? `, ${failures.length} failed` : '';
  const late = `  missed: ${plural(missedSlots, 'slot')} of ${interval} s, the cycle before took too long`;
  return {
    headline: `${clockTime(startedAt)}  ${sources.map(printable).join(', ')}: ${counts}${failed}`,
    complaints: [...failureLines(failures), ...(missedSlots > 0 ? [late] : [])],
  };
}

/** Shows each cycle as a table for people. */
export function createTableOutput(options: TableOutputOptions): Output {
  const { stream, env = process.env, onGone, foldAbove = FOLD_ABOVE, headlines = false } = options;
  const writer = new StreamWriter({ stream, name: 'the terminal', ...(onGone && { onGone }) });
  const style = stylesFor(stream, env);
  let collected: Sample[] = [];
  let unseen = 0;

  /** Asked each time, for windows change their size. */
  const width = (): number => (stream.isTTY === true && stream.columns ? stream.columns : Number.POSITIVE_INFINITY);

  function table(samples: readonly Sample[]): string[] {
    if (samples.length === 0) return [];
    const folded = stream.isTTY === true && samples.length > foldAbove;
    const lines = folded
      ? tableLines(METER_COLUMNS, meterRows(samples), width())
      : tableLines(RESOURCE_COLUMNS, resourceRows(samples), width());
    const note = `${plural(samples.length, 'value')} shown as one row a meter; --output jsonl has each`;
    return [style.title(lines[0] ?? ''), ...lines.slice(1), ...(folded ? [note] : [])];
  }

  return {
    async publish(batch) {
      if (writer.failure !== undefined) throw writer.failure;
      if (!writer.gone && !headlines) collected = collected.concat(batch);
    },
    cycleEnded(report) {
      const samples = collected;
      collected = [];
      if (writer.failure !== undefined) return;
      // A terminal that was stopped with ^S, or a pager that nobody scrolls.
      if (writer.blocked) {
        unseen += 1;
        return;
      }
      const { headline, complaints } = summary(report);
      const lost = unseen > 0 ? [`  not shown: ${plural(unseen, 'cycle')}, the output was not read in time`] : [];
      unseen = 0;
      const bad = [...complaints, ...lost].map((line) => style.bad(truncateMiddle(line, width())));
      const lines = headlines ? [headline, ...bad] : [...table(samples), style.title(headline), ...bad, ''];
      writer.write(`${lines.join('\n')}\n`, samples.length);
    },
    async flush(signal) {
      await writer.flush(signal);
      return writer.pending;
    },
    async close() {
      writer.close();
    },
  };
}
