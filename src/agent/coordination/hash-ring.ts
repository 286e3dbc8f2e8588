/** Who of several members has what: the consistent hash ring of OpenStack's tooz, point for point. */
import { createHash } from 'node:crypto';

const POINTS_PER_MEMBER = 32;

export interface HashRing {
  readonly members: ReadonlySet<string>;
  /** The member that has the item; undefined where the ring is empty. */
  ownerOf(item: string): string | undefined;
}

/** The order of the members does not matter. A member that joins takes items, and one that goes gives up its own. */
export function createHashRing(members: Iterable<string>): HashRing {
  const unique = new Set(members);
  const owners = new Map<string, string>();
  for (const member of unique) {
    // Each point is the hash of the name, said once more than for the point before.
    const hash = createHash('md5').update(member);
    for (let point = 0; point < POINTS_PER_MEMBER; point += 1)
      owners.set(hash.update(member).copy().digest('hex'), member);
  }
  // Of one length, so that their order as text is that of the numbers.
  const points = [...owners.keys()].sort();
  return {
    members: unique,
    ownerOf(item) {
      const after = firstAbove(points, createHash('md5').update(item).digest('hex'));
      const point = points[after === points.length ? 0 : after];
      return point === undefined ? undefined : owners.get(point);
    },
  };
}

function firstAbove(sorted: readonly string[], text: string): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle] ?? '') <= text) low = middle + 1;
    else high = middle;
  }
  return low;
}
