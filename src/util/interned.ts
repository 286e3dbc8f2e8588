/** Texts that come again and again, each kept once. */
export type Intern = (text: string) => string;

/** Forgets what it has after so many texts, so that those that are gone for good do not stay. */
export function createIntern(most = 10_000): Intern {
  const known = new Map<string, string>();
  return (text) => {
    const found = known.get(text);
    if (found !== undefined) return found;
    if (known.size >= most) known.clear();
    // A part of a longer text would keep all of it.
    const copy = Buffer.from(text, 'utf8').toString('utf8');
    known.set(copy, copy);
    return copy;
  };
}
