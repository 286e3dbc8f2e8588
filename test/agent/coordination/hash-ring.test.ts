import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { createHashRing } from '../../../src/agent/coordination/hash-ring.ts';

/** What tooz's HashRing answers: for each ring, the position of each item's owner among the members. */
const fixture: {
  readonly items: readonly string[];
  readonly rings: readonly { readonly members: readonly string[]; readonly owners: readonly number[] }[];
} = JSON.parse(readFileSync(new URL('../../fixtures/coordination/tooz-ring.json', import.meta.url), 'utf8'));

const items = Array.from({ length: 3000 }, (_, index) => `resource ${index}`);
const owners = (members: readonly string[]) => {
  const ring = createHashRing(members);
  return items.map((item) => ring.ownerOf(item));
};

describe('the hash ring', () => {
  it.each(fixture.rings)('has the owners that tooz has, for $members.length members', ({ members, owners }) => {
    const ring = createHashRing(members);

    expect(fixture.items.map((item) => members.indexOf(ring.ownerOf(item) ?? ''))).toEqual(owners);
  });

  it('does not depend on the order of the members', () => {
    expect(owners(['c', 'a', 'b', 'a'])).toEqual(owners(['a', 'b', 'c']));
  });

  it('moves items only to the one that joins, or from the one that goes', () => {
    const before = owners(['a', 'b', 'c', 'd']);
    const after = owners(['a', 'b', 'c', 'd', 'e']);

    const moved = after.filter((owner, at) => owner !== before[at]);
    expect(new Set(moved)).toEqual(new Set(['e']));
    expect(moved.length).toBeLessThan(items.length / 2);
  });

  it('leaves nobody without work', () => {
    const count = new Map<string | undefined, number>();
    for (const owner of owners(['a', 'b', 'c', 'd', 'e'])) count.set(owner, (count.get(owner) ?? 0) + 1);

    expect(count.size).toBe(5);
    expect(Math.min(...count.values())).toBeGreaterThan(items.length / 20);
  });

  it('has no owner where there are no members', () => {
    expect(createHashRing([]).ownerOf('a')).toBeUndefined();
  });
});
