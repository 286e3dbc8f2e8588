/** From the text of an answer to its entries. */
import { describeError, ServiceError } from '../../errors.ts';
import { parseExactJson } from '../../wire/json-parser.ts';
import { isList, isObject, type JsonValue, keysOf } from '../../wire/value.ts';
import type { Definition, ResponseHandler } from './definition.ts';
import { xmlToMap } from './xml-map.ts';

const handlers: Readonly<Record<ResponseHandler, (text: string) => JsonValue>> = {
  json: parseExactJson,
  xml: xmlToMap,
  text: (text) => [{ out: text }],
};

/** What the first handler that can makes of a text. */
export function readResponse({ name, handlers: wanted }: Definition, text: string): JsonValue {
  const reasons: string[] = [];
  for (const handler of wanted) {
    try {
      return handlers[handler](text);
    } catch (error) {
      reasons.push(`${handler}: ${describeError(error).slice(0, 200)}`);
    }
  }
  throw new ServiceError(`${name}: the answer cannot be read (${reasons.join('; ')})`);
}

/** Throws where there is neither a list nor an object to take entries from. */
export function entriesOf({ name, entriesKey }: Definition, response: JsonValue): readonly JsonValue[] {
  if (isList(response)) return response;
  if (!isObject(response)) throw new ServiceError(`${name}: expected a list or an object, got ${typeof response}`);
  const [first] = keysOf(response);
  if (first === undefined) return [];
  const found = entriesKey === undefined ? response[first] : entriesKey.read(response);
  if (found !== undefined && isList(found)) return found;
  if (found !== undefined && isObject(found)) return [found];
  throw new ServiceError(`${name}: expected a list of entries, got ${found === null ? 'nothing' : typeof found}`);
}
