/** `$name`, `${name}`, `${group.name}`: oslo.config's string template. Anything else after a dollar sign stays. */
const REFERENCE = /\$(?:\$|([_a-z][._a-z0-9]*)|\{([_a-z][._a-z0-9]*)\})/gi;

/** Replaces references by what `lookup` says; `$$` and `\$` are a dollar sign. */
export function interpolate(text: string, lookup: (name: string) => string): string {
  if (!text.includes('$')) return text;
  return text
    .replaceAll('\\$', () => '$$')
    .replace(REFERENCE, (_, plain?: string, braced?: string) => {
      const name = plain ?? braced;
      return name === undefined ? '$' : lookup(name);
    });
}
