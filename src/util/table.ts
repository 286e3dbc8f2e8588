import { padEnd, padStart, textWidth, truncateMiddle } from './text.ts';

export interface Column {
  readonly title: string;
  readonly align?: 'right';
  /** May be cut in the middle where the table is wider than it should be. */
  readonly shrinks?: true;
}

const GAP = '  ';

/** No column gets narrower than this, or its title. */
const NARROWEST = 12;

/** Takes what is too much from the widest of the columns that shrink, again and again. */
function narrowed(widths: readonly number[], columns: readonly Column[], width: number): readonly number[] {
  const fitted = [...widths];
  let excess = fitted.reduce((sum, each) => sum + each, 0) + GAP.length * (columns.length - 1) - width;
  const least = columns.map(({ title }) => Math.max(NARROWEST, textWidth(title)));
  while (excess > 0) {
    const spare = fitted.map((each, index) => (columns[index]?.shrinks ? each - (least[index] ?? 0) : 0));
    const most = Math.max(...spare);
    if (most <= 0) break;
    const index = spare.indexOf(most);
    fitted[index] = (fitted[index] ?? 0) - 1;
    excess -= 1;
  }
  return fitted;
}

/** Lines of a table, the titles first. Cells are printable text; blank ones at the end of a line take no room. */
export function tableLines(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  width = Number.POSITIVE_INFINITY,
): string[] {
  const titles = columns.map(({ title }) => title);
  const natural = titles.map((title, index) =>
    rows.reduce((most, row) => Math.max(most, textWidth(row[index] ?? '')), textWidth(title)),
  );
  const widths = narrowed(natural, columns, width);
  const line = (cells: readonly string[]): string =>
    columns
      .map(({ align }, index) => {
        const room = widths[index] ?? 0;
        const cell = truncateMiddle(cells[index] ?? '', room);
        return align === 'right' ? padStart(cell, room) : padEnd(cell, room);
      })
      .join(GAP)
      .trimEnd();
  return [titles, ...rows].map(line);
}
