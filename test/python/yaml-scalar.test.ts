import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { getKey } from '../../src/python/value.ts';
import { plainScalar } from '../../src/python/yaml-scalar.ts';
import { stringifyJson } from '../../src/wire/json.ts';
import { parseExactJson } from '../../src/wire/json-parser.ts';
import { isList } from '../../src/wire/value.ts';

/** What PyYAML 6.0 reads where each of the texts stands. */
const recorded = parseExactJson(readFileSync(new URL('../fixtures/python/scalars.json', import.meta.url), 'utf8'));
const scalars = isList(recorded) ? recorded : [];

it(`reads each of ${scalars.length} plain scalars as PyYAML does`, () => {
  const wrong = scalars.flatMap((entry) => {
    const text = String(getKey(entry, 'text'));
    const [expected, got] = [stringifyJson(getKey(entry, 'value') ?? null), stringifyJson(plainScalar(text))];
    return got === expected ? [] : [{ text, expected, got }];
  });

  expect(wrong).toEqual([]);
  expect(scalars.length).toBeGreaterThan(80);
});
