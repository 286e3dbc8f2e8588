/** Reading of XML by local names: which prefix or version of a namespace an element carries does not matter here. */
import type { Element, Node } from '@xmldom/xmldom';
import { createXmlParser } from '../../util/xml.ts';

const parser = createXmlParser();

export type { Element };

/** The root element. Throws when the text is not well-formed. */
export function parseXml(text: string): Element {
  const root = parser.parseFromString(text, 'text/xml').documentElement;
  if (root === null) throw new Error('no root element');
  return root;
}

/** The child elements with this local name; all of them without a name. */
export function children(parent: Element, name?: string): Element[] {
  const found: Element[] = [];
  for (let node = parent.firstChild; node !== null; node = node.nextSibling) {
    if (isElement(node) && (name === undefined || node.localName === name)) found.push(node);
  }
  return found;
}

/** All elements at a path like `owner/user`, whichever of several parents they stand under. */
export function findAll(parent: Element, path: string): Element[] {
  let found = [parent];
  for (const name of path.split('/')) found = found.flatMap((element) => children(element, name));
  return found;
}

export function find(parent: Element, path: string): Element | undefined {
  return findAll(parent, path)[0];
}

export function attribute(element: Element | undefined, name: string): string | undefined {
  return element?.getAttribute(name) ?? undefined;
}

/** The text before the first child element; null when there is none, as an empty element has none. */
export function text(element: Element): string | null {
  let result = '';
  for (let node = element.firstChild; node !== null; node = node.nextSibling) {
    if (node.nodeType !== node.TEXT_NODE && node.nodeType !== node.CDATA_SECTION_NODE) break;
    result += node.nodeValue ?? '';
  }
  return result === '' ? null : result;
}

function isElement(node: Node): node is Element {
  return node.nodeType === node.ELEMENT_NODE;
}
