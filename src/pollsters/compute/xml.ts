/** Reading of XML by local names: which prefix or version of a namespace an element carries does not matter here. */
import type { Element } from './xml-parser.ts';

export { type Element, parseXml } from './xml-parser.ts';

/** The child elements with this local name; all of them without a name. */
export function children(parent: Element, name?: string): readonly Element[] {
  return name === undefined ? parent.children : parent.children.filter(({ localName }) => localName === name);
}

/** All elements at a path like `owner/user`, whichever of several parents they stand under. */
export function findAll(parent: Element, path: string): readonly Element[] {
  let found: readonly Element[] = [parent];
  for (const name of path.split('/')) found = found.flatMap((element) => children(element, name));
  return found;
}

export function find(parent: Element, path: string): Element | undefined {
  return findAll(parent, path)[0];
}

export function attribute(element: Element | undefined, name: string): string | undefined {
  return element?.attributes.get(name);
}

/** The text before the first child element; null when there is none, as an empty element has none. */
export function text(element: Element): string | null {
  return element.text === '' ? null : element.text;
}
