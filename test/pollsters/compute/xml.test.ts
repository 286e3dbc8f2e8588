import { describe, expect, it } from 'vitest';
import { attribute, children, find, findAll, parseXml, text } from '../../../src/pollsters/compute/xml.ts';

describe('XML', () => {
  it('is read by local names, whatever the prefix', () => {
    const root = parseXml('<a xmlns:x="urn:x"><x:b><y/></x:b><b xmlns="urn:y"><y v="2"/></b></a>');

    const found = findAll(root, 'b/y');

    expect(found.map((element) => attribute(element, 'v'))).toEqual([undefined, '2']);
    expect(children(root).map((element) => element.localName)).toEqual(['b', 'b']);
  });

  it('gives the text before the first child element, entities and CDATA resolved', () => {
    const root = parseXml('<a>1 &lt; 2 &#x1F680;<![CDATA[<&>]]><b/>later</a>');

    expect(text(root)).toBe('1 < 2 🚀<&>');
  });

  it('gives no text for an empty element', () => {
    const root = parseXml('<a><b/><c></c></a>');

    expect(children(root).map(text)).toEqual([null, null]);
  });

  it('keeps line separators of Unicode as they are', () => {
    const root = parseXml('<a>one\u2028two\u0085three\r\nfour</a>');

    expect(text(root)).toBe('one\u2028two\u0085three\nfour');
  });

  it.each(['', 'no XML', '<a>', '<a></b>', '<a><b></a></b>', '<a x="1" x="2"/>', '<a>&nothing;</a>', '<p:a/>'])(
    'is refused when it is not well-formed: %j',
    (source) => {
      expect(() => parseXml(source)).toThrow();
    },
  );

  it('has no element where a path leads nowhere', () => {
    const root = parseXml('<a><b/></a>');

    expect(find(root, 'b/c/d')).toBeUndefined();
    expect(attribute(find(root, 'b/c'), 'v')).toBeUndefined();
  });
});
