import { DOMParser, type Element as DomElement, type Node, onErrorStopParsing } from '@xmldom/xmldom';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Element, parseXml } from '../../../src/pollsters/compute/xml-parser.ts';

interface Plain {
  readonly localName: string;
  readonly namespaceURI: string | null;
  readonly attributes: Readonly<Record<string, string>>;
  readonly text: string;
  readonly children: readonly Plain[];
}

function plain({ localName, namespaceURI, attributes, text, children }: Element): Plain {
  return { localName, namespaceURI, attributes: Object.fromEntries(attributes), text, children: children.map(plain) };
}

/** The same from a parser of the whole DOM. */
function plainDom(element: DomElement): Plain {
  const nodes: Node[] = Array.from(element.childNodes);
  const isText = ({ nodeType }: Node) => nodeType === element.TEXT_NODE || nodeType === element.CDATA_SECTION_NODE;
  const first = nodes.findIndex((node) => !isText(node));
  return {
    localName: element.localName ?? '',
    namespaceURI: element.namespaceURI || null,
    attributes: Object.fromEntries(Array.from(element.attributes, ({ name, value }) => [name, value])),
    text: (first < 0 ? nodes : nodes.slice(0, first)).map(({ nodeValue }) => nodeValue ?? '').join(''),
    children: nodes.filter((node): node is DomElement => node.nodeType === element.ELEMENT_NODE).map(plainDom),
  };
}

function domOf(source: string): Plain {
  const parser = new DOMParser({ locator: false, onError: onErrorStopParsing });
  const root = parser.parseFromString(source, 'text/xml').documentElement;
  if (root === null) throw new Error('no root');
  return plainDom(root);
}

const escaped = (text: string) =>
  text.replace(
    /[&<>"'\r]/g,
    (character) =>
      ({ '&': '&amp;', '<': '&lt;', '>': '&#62;' })[character] ?? `&#x${character.charCodeAt(0).toString(16)};`,
  );

/** Characters that XML has, without those that the other parser takes for line ends as well. */
const text = fc
  .string({ unit: 'grapheme' })
  .map((value) => value.replace(/(?![\t\n\r])[\p{Cc}\p{Cs}\u2028\u2029\ufffe\uffff]/gu, '?'));
const prefix = fc.constantFrom('', '', 'p:', 'q:');
const localName = fc.constantFrom('a', 'b', 'nova', 'größe', 'x-1.y');
const attributes = fc
  .uniqueArray(fc.tuple(prefix, localName, text), { selector: ([, name]) => name, maxLength: 3 })
  .map((all) => all.map(([before, name, value]) => ` ${before}${name}="${escaped(value)}"`).join(''));
const declarations = fc.constantFrom('', '', ' xmlns="urn:default"', ' xmlns=""', " xmlns:p = 'urn:other'");

const { element } = fc.letrec<{ node: string; element: string }>((tie) => ({
  node: fc.oneof(
    { depthSize: 'small' },
    text.map(escaped),
    text.map((value) => `<![CDATA[${value.replaceAll(']', ')')}]]>`),
    text.map((value) => `<!--${value.replaceAll('-', '+')}-->`),
    fc.constantFrom('<?pi some?>', '\n  ', '\t'),
    tie('element'),
  ),
  element: fc
    .tuple(prefix, localName, attributes, declarations, fc.array(tie('node'), { maxLength: 4 }))
    .map(([before, name, given, declared, nodes]) =>
      nodes.length === 0
        ? `<${before}${name}${given}${declared}/>`
        : `<${before}${name}${declared}${given} >${nodes.join('')}</${before}${name} >`,
    ),
}));

describe('the parser of domain XML', () => {
  it('reads what a parser of the whole DOM reads', () => {
    fc.assert(
      fc.property(element, (inner) => {
        const source = `<?xml version="1.0"?>\n<!-- x --><root xmlns:p="urn:p" xmlns:q="urn:q">${inner}</root>\n`;

        expect(plain(parseXml(source))).toEqual(domOf(source));
      }),
    );
  });

  it.each([
    ['an attribute without quotes', '<a b=c/>'],
    ['< in an attribute', '<a b="<"/>'],
    ['attributes that are not set apart', '<a b="1"c="2"/>'],
    ['text before the root', 'x<a/>'],
    ['text behind the root', '<a/>x'],
    ['two roots', '<a/><b/>'],
    ['an end without a beginning', '<a/></a>'],
    ['a comment that does not end', '<a><!-- b</a>'],
    ['two dashes in a comment', '<a><!-- b -- c --></a>'],
    ['CDATA that does not end', '<a><![CDATA[b</a>'],
    ['CDATA outside of the root', '<a/><![CDATA[b]]>'],
    ['the end of CDATA alone', '<a>]]></a>'],
    ['a bare ampersand', '<a>b & c</a>'],
    ['an ampersand behind a child', '<a><b/>&c</a>'],
    ['a reference to no character', '<a>&#0;</a>'],
    ['a reference to half a character', '<a>&#xd800;</a>'],
    ['a reference beyond all characters', '<a>&#x110000;</a>'],
    ['an entity of its own', '<a b="&other;"/>'],
    ['a control character', '<a>\u0001</a>'],
    ['a declaration that is not at the start', '<a><?xml version="1.0"?></a>'],
    ['a document type', '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'],
    ['a prefix of an attribute that nothing declares', '<a p:b="1"/>'],
    ['a name that begins with a digit', '<1/>'],
    ['two colons in a name', '<a:b:c xmlns:a="urn:a"/>'],
  ])('refuses %s', (_what, source) => {
    expect(() => parseXml(source)).toThrow(/^XML is not well-formed at character \d+: /);
  });

  it('says where the mistake is and what it is', () => {
    expect(() => parseXml('<a>\n<b></c></a>')).toThrow(
      'XML is not well-formed at character 11: the end of c, which is not open',
    );
  });

  it('reads attributes over several lines, with either quote, and line ends of all kinds', () => {
    const root = parseXml('<a\r\n\tb = \'"1"\'\r\n\tc="2\r3&#10;4">one\rtwo</a>');

    expect(plain(root)).toMatchObject({ attributes: { b: '"1"', c: '2 3\n4' }, text: 'one\ntwo' });
  });
});
