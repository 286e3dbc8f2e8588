/** Where benchmarks put their tables: the terminal, and docs/performance.md with `CEILOMETER_BENCH_WRITE=1`. */
import { appendFileSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { fileURLToPath } from 'node:url';
import { tableLines } from '../src/util/table.ts';

const collected = fileURLToPath(new URL('./.results.md', import.meta.url));
const documentation = fileURLToPath(new URL('../docs/performance.md', import.meta.url));

/** Prints a table and keeps it for the document. */
export function report(
  title: string,
  note: string,
  titles: readonly string[],
  rows: readonly (readonly string[])[],
): void {
  console.log(
    `\n${title}\n${tableLines(
      titles.map((one) => ({ title: one })),
      rows,
    ).join('\n')}\n${note}`,
  );
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  const text = [`## ${title}`, '', note, '', line(titles), line(titles.map(() => '---')), ...rows.map(line), '', ''];
  appendFileSync(collected, text.join('\n'));
}

export const milliseconds = (value: number) => value.toFixed(value < 10 ? 2 : 0);

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

/** Begins an empty report; the function it returns ends it. */
export default function setup(): () => void {
  rmSync(collected, { force: true });
  return () => {
    if (process.env['CEILOMETER_BENCH_WRITE'] !== '1' || !existsSync(collected)) return;
    const machine = `${cpus().length} cores (${cpus()[0]?.model.trim() ?? 'unknown'}), ${Math.round(totalmem() / 2 ** 30)} GiB`;
    const head = [
      '# Performance',
      '',
      `Made by \`CEILOMETER_BENCH_WRITE=1 npm run bench\` on ${machine}, Node ${process.version}; everything runs on that one`,
      'machine, the broker, libvirtd and the domains included. The figures of one run compare with each other.',
      '',
      '',
    ].join('\n');
    writeFileSync(documentation, `${head}${readFileSync(collected, 'utf8').trimEnd()}\n`);
  };
}
