/** The use of something that others may use as well. */
export interface Lease<T> {
  readonly value: T;
  /** Closes it when nobody else uses it. Called once. */
  release(): Promise<void>;
}

/** Hands out what a key stands for: opened for the first who asks, closed when the last one lets go. */
export function createLeases<T>(close: (value: T) => Promise<void>): (key: string, open: () => T) => Lease<T> {
  const opened = new Map<string, { readonly value: T; users: number }>();
  return (key, open) => {
    const entry = opened.get(key) ?? { value: open(), users: 0 };
    opened.set(key, entry);
    entry.users += 1;
    return {
      value: entry.value,
      async release() {
        entry.users -= 1;
        if (entry.users > 0) return;
        opened.delete(key);
        await close(entry.value);
      },
    };
  };
}
