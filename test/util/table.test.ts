import { describe, expect, it } from 'vitest';
import { tableLines } from '../../src/util/table.ts';
import { textWidth } from '../../src/util/text.ts';

const columns = [{ title: 'NAME', shrinks: true }, { title: 'VALUE', align: 'right' }, { title: '' }] as const;

describe('a table', () => {
  it('is as wide as its content, without blanks at the ends of lines', () => {
    const lines = tableLines(columns, [
      ['a', '1', 'B'],
      ['longer', '22', ''],
      ['日本', '3', 'B'],
    ]);

    expect(lines).toEqual(['NAME    VALUE', 'a           1  B', 'longer     22', '日本        3  B']);
  });

  it('cuts the middle out of cells of columns that shrink where it would be too wide', () => {
    const lines = tableLines(columns, [['0123456789abcdefghij', '1', 'B']], 24);

    expect(lines).toEqual(['NAME            VALUE', '0123456…efghij      1  B']);
    expect(Math.max(...lines.map(textWidth))).toBeLessThanOrEqual(24);
  });

  it('rather gets too wide than unreadable', () => {
    const [, row] = tableLines(columns, [['0123456789abcdefghij', '1', 'B']], 5);

    expect(row).toBe('012345…fghij      1  B');
  });

  it('without rows is its titles', () => {
    expect(tableLines(columns, [])).toEqual(['NAME  VALUE']);
  });
});
