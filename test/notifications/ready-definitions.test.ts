import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { parseDefinitions } from '../../src/notifications/definition-file.ts';
import { keyOf, readyDefinitions } from '../../src/notifications/ready-definitions.ts';
import { parseExactJson } from '../../src/wire/json-parser.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const meters = readdirSync(`${root}etc/ceilometer/meters.d`).map((name) => `meters.d/${name}`);
const ready: Readonly<Record<string, string>> = JSON.parse(
  readFileSync(`${root}dist/notifications/ready-definitions.json`, 'utf8'),
);

it.each(['event_definitions.yaml', 'gnocchi_resources.yaml', ...meters])('says what the parser reads in %s', (name) => {
  const text = readFileSync(`${root}etc/ceilometer/${name}`, 'utf8');
  const json = ready[keyOf(text)];

  expect(json).toBeDefined();
  expect(parseExactJson(json ?? '')).toEqual(parseDefinitions(name, text).value);
});

it('knows nothing of a text that differs', () => {
  const text = readFileSync(`${root}etc/ceilometer/event_definitions.yaml`, 'utf8');

  expect(Object.keys(ready)).not.toContain(keyOf(`${text}\n`));
});

it('has nothing ready where the sources run as they are', () => {
  const text = readFileSync(`${root}etc/ceilometer/event_definitions.yaml`, 'utf8');

  expect(readyDefinitions(text)).toBeUndefined();
});
