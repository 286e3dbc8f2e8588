import { expect, it } from 'vitest';
import { createIntern } from '../../src/util/interned.ts';

it('an intern gives back the same text, whatever it has forgotten', () => {
  const intern = createIntern(3);
  const texts = ['a', 'é', '', 'a', 'b', 'c', '😀', 'a', 'é'];

  const given = texts.map(intern);

  expect(given).toEqual(texts);
});
