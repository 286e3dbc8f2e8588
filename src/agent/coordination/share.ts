/** Which part of the work an agent has, as it was known at one moment; it does not change any more. */
export interface Share {
  /**
   * Whether this agent has the item of the group, null being what no other agent can do. Where it does not know who
   * else is there, it has everything.
   */
  owns(group: string | null, item: string): boolean;
}

export const everything: Share = { owns: () => true };

/** What is in `share` and was not in `before`. */
export function gained(share: Share, before: Share): Share {
  return { owns: (group, item) => share.owns(group, item) && !before.owns(group, item) };
}

export function both(one: Share, other: Share): Share {
  return { owns: (group, item) => one.owns(group, item) || other.owns(group, item) };
}
