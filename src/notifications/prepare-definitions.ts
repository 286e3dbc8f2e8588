/** Part of the build: reads the definitions that this package ships once and for all; see ready-definitions.ts. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stringifyJson } from '../wire/json.ts';
import { parseDefinitions } from './definition-file.ts';
import { keyOf, READY_FILE } from './ready-definitions.ts';

const FOLDER = fileURLToPath(new URL('../../etc/ceilometer/', import.meta.url));

const meters = readdirSync(join(FOLDER, 'meters.d')).map((name) => join('meters.d', name));
const files = ['event_definitions.yaml', 'gnocchi_resources.yaml', ...meters];
const entries = files.map((file) => {
  const text = readFileSync(join(FOLDER, file), 'utf8');
  return [keyOf(text), stringifyJson(parseDefinitions(file, text).value)];
});
writeFileSync(READY_FILE, JSON.stringify(Object.fromEntries(entries)));
