/** XML as nested maps, in the form of Python's xmltodict. */
import type { Element, Node } from '@xmldom/xmldom';
import { createXmlParser } from '../../util/xml.ts';
import type { JsonObject, JsonValue } from '../../wire/value.ts';
import { withoutBlanks } from './python/text.ts';
import { dictOf } from './python/values.ts';

const DEEPEST = 200;

/** Throws when the text is not well-formed. */
export function xmlToMap(text: string): JsonObject {
  const root = createXmlParser().parseFromString(text, 'text/xml').documentElement;
  if (root === null) throw new Error('no root element');
  return dictOf([[root.tagName, elementValue(root, 0)]]);
}

/** Attributes are `@name`, text beside attributes or elements is `#text`, elements that repeat are a list. */
function elementValue(element: Element, depth: number): JsonValue {
  if (depth > DEEPEST) throw new Error('elements are nested too deeply');
  const members = new Map<string, JsonValue>();
  for (const { name, value } of element.attributes) members.set(`@${name}`, value);
  const repeated = new Map<string, JsonValue[]>();
  let text = '';
  for (let node = element.firstChild; node !== null; node = node.nextSibling) {
    if (isElement(node)) {
      const same = repeated.get(node.tagName) ?? [];
      same.push(elementValue(node, depth + 1));
      repeated.set(node.tagName, same);
      members.set(node.tagName, same.length === 1 ? (same[0] ?? null) : same);
    } else if (node.nodeType === node.TEXT_NODE || node.nodeType === node.CDATA_SECTION_NODE) {
      text += node.nodeValue ?? '';
    }
  }
  text = withoutBlanks(text);
  if (members.size === 0) return text === '' ? null : text;
  if (text !== '') members.set('#text', text);
  return dictOf(members);
}

function isElement(node: Node): node is Element {
  return node.nodeType === node.ELEMENT_NODE;
}
