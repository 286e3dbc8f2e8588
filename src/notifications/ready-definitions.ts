/**
 * The definitions of this package as the build has read them: their YAML takes a third of the agent's start. What
 * counts is the text, so that copies in `/etc` are ready, too, and any change in them is read as it is.
 */
import { hash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { codeOf } from '../errors.ts';
import { parseExactJson } from '../wire/json-parser.ts';
import type { JsonValue } from '../wire/value.ts';

/** Made by the build; where the sources run there is none. */
export const READY_FILE = new URL('./ready-definitions.json', import.meta.url);

let ready: ReadonlyMap<string, string> | undefined;

/** What the text of a definition file says; undefined where it is none of this package's. */
export function readyDefinitions(text: string): JsonValue | undefined {
  ready ??= readReady();
  const json = ready.get(keyOf(text));
  return json === undefined ? undefined : parseExactJson(json);
}

export function keyOf(text: string): string {
  return hash('sha1', text);
}

function readReady(): ReadonlyMap<string, string> {
  try {
    const texts: Readonly<Record<string, string>> = JSON.parse(readFileSync(READY_FILE, 'utf8'));
    return new Map(Object.entries(texts));
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return new Map();
    throw error;
  }
}
