/** The entries that a definition's requests give, page by page. */
import { ServiceError } from '../../errors.ts';
import type { JsonObject, JsonValue } from '../../wire/value.ts';
import type { Definition } from './definition.ts';
import { isMissing } from './python/errors.ts';
import { isTrue } from './python/values.ts';
import { entriesOf, readResponse } from './response.ts';
import type { ResponseCache } from './response-cache.ts';
import type { Source, Step } from './source.ts';

export interface Asking {
  readonly definition: Definition;
  readonly source: Source;
  readonly resource: string;
  readonly inputs: JsonObject;
  readonly signal: AbortSignal;
  /** Of nested definitions; their answers are kept for `cacheFor` milliseconds. */
  readonly cache?: ResponseCache;
  readonly cacheFor?: number;
}

export async function* entryPages(asking: Asking): AsyncGenerator<readonly JsonValue[]> {
  const { definition, source, resource, inputs } = asking;
  const seen = new Set<string>();
  for (const first of source.begin(resource, inputs)) {
    for (let step: Step | undefined = first; step !== undefined; ) {
      if (seen.has(step.key)) throw new ServiceError(`${definition.name}: its pages go round in a circle`);
      seen.add(step.key);
      const response = await answerTo(step, asking);
      if (isEmpty(response)) break;
      yield entriesOf(definition, response);
      const next = nextOf(definition, response);
      step = next === undefined ? undefined : source.follow(next, resource, inputs);
    }
  }
}

async function answerTo(step: Step, { definition, signal, cache, cacheFor = 0 }: Asking): Promise<JsonValue> {
  const ask = async () => readResponse(definition, await step.fetch(signal));
  if (cache === undefined || cacheFor === 0) return ask();
  const { handlers, headers } = definition;
  return cache.get(JSON.stringify([step.key, handlers, headers]), cacheFor, ask);
}

function isEmpty(response: JsonValue): boolean {
  return typeof response === 'object' && response !== null && !isTrue(response);
}

/** Undefined on the last page, which often lacks what the others have. */
function nextOf({ name, nextPage }: Definition, response: JsonValue): string | undefined {
  if (nextPage === undefined) return undefined;
  let next: JsonValue;
  try {
    next = nextPage.read(response);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
  if (!isTrue(next)) return undefined;
  if (typeof next === 'string') return next;
  throw new ServiceError(`${name}: next_sample_url_attribute gives no text`);
}
