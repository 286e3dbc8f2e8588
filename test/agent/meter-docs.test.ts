import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { metersMarkdown } from '../../src/agent/meter-docs.ts';

describe('docs/meters.md', () => {
  it('is what `npm run docs` makes of the manifest', async () => {
    expect(readFileSync(new URL('../../docs/meters.md', import.meta.url), 'utf8')).toBe(await metersMarkdown());
  });

  it('says of every meter what it measures', async () => {
    const rows = (await metersMarkdown()).split('\n').filter((line) => line.startsWith('| `'));

    expect(rows.filter((row) => row.endsWith('|  |'))).toEqual([]);
    expect(rows.length).toBeGreaterThan(60);
  });
});
