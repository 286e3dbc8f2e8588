/** Names of one kind that come to a process in its life, far more than there are where nobody makes them up. */
const MOST_NAMES = 5000;

/**
 * Works out once for each name what `work` says of it. Names come from outside, so what is remembered of them is
 * bounded: after so many different ones it begins anew.
 */
export function remembered<T>(work: (name: string) => T, most = MOST_NAMES): (name: string) => T {
  const known = new Map<string, { readonly found: T }>();
  return (name) => {
    const before = known.get(name);
    if (before !== undefined) return before.found;
    const found = work(name);
    if (known.size >= most) known.clear();
    known.set(name, { found });
    return found;
  };
}
