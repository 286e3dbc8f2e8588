// biome-ignore-all lint/suspicious/noTemplateCurlyInString: it is oslo.config's syntax, too.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { interpolate } from '../../src/config/interpolate.ts';

describe('interpolate', () => {
  it.each([
    ['$host', '<host>'],
    ['/var/$host-x/${host}y', '/var/<host>-x/<host>y'],
    ['${publisher.secret}', '<publisher.secret>'],
    ['$host.log', '<host.log>'],
    ['$HOST', '<HOST>'],
    ['$$host', '$host'],
    ['\\$host', '$host'],
    ['$$$host', '$<host>'],
    ['$5 ${bad $ $', '$5 ${bad $ $'],
  ])('makes of %s %s', (text, expected) => {
    expect(interpolate(text, (name) => `<${name}>`)).toBe(expected);
  });

  it('leaves a value alone that came out of a reference', () => {
    expect(interpolate('$a', () => '$b $$ $&')).toBe('$b $$ $&');
  });

  it('gives back any text whose dollar signs are doubled', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        fc.pre(!text.includes('\\'));

        const doubled = text.replaceAll('$', () => '$$');

        expect(interpolate(doubled, () => 'never')).toBe(text);
      }),
    );
  });
});
