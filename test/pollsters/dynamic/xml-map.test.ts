import { describe, expect, it } from 'vitest';
import { xmlToMap } from '../../../src/pollsters/dynamic/xml-map.ts';

describe('XML', () => {
  // The right side is what xmltodict 0.13 makes of it.
  it.each([
    ['<a>x</a>', { a: 'x' }],
    ['<a/>', { a: null }],
    ['<a> <b/>\n</a>', { a: { b: null } }],
    ['<a x="1"> t </a>', { a: { '@x': '1', '#text': 't' } }],
    ['<a>p<b>1</b>q<b>2</b></a>', { a: { b: ['1', '2'], '#text': 'pq' } }],
    ['<n:a xmlns:n="urn:n"><n:b n:c="d\ne"/></n:a>', { 'n:a': { '@xmlns:n': 'urn:n', 'n:b': { '@n:c': 'd e' } } }],
    ['<!DOCTYPE a><!-- c --><a><![CDATA[<&>]]><?p i?>&#233;&amp;<!-- c -->z</a>', { a: '<&>é&z' }],
    ['<a>l1\r\nl2\x85\u2028z</a>', { a: 'l1\nl2\x85\u2028z' }],
    ['<a>\x85\u00a0n\u2028</a>', { a: 'n' }],
    ['<a>\ufeffn</a>', { a: '\ufeffn' }],
  ])('becomes nested maps: %j', (text, map) => {
    expect(xmlToMap(text)).toEqual(map);
  });

  it.each(['', 'x', '<a>', '<a></b>', '<a/><b/>', '<a>&nope;</a>'])('that is not well-formed is none: %j', (text) => {
    expect(() => xmlToMap(text)).toThrow();
  });
});
