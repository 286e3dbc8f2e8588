/** What is looked at, in the fragment of the address: it can be kept as a bookmark and gone back to. */

export interface Choice {
  readonly kind: 'resource' | 'meter';
  readonly name: string;
}

export function viewHref({ kind, name }: Choice): string {
  return `#/${kind}/${encodeURIComponent(name)}`;
}

export function choiceOf(hash: string): Choice | undefined {
  const match = /^#\/(resource|meter)\/(.+)$/.exec(hash);
  if (match === null) return undefined;
  try {
    return { kind: match[1] === 'meter' ? 'meter' : 'resource', name: decodeURIComponent(match[2] ?? '') };
  } catch {
    return undefined;
  }
}
