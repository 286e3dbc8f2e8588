/** Resources in Gnocchi: created, changed and ended, each change once. */
import { hash } from 'node:crypto';
import { DeliveryError } from '../errors.ts';
import type { HttpResponse } from '../openstack/http.ts';
import type { Clock } from '../util/clock.ts';
import { createTurns, type Turns } from '../util/turns.ts';
import { stringifyJson } from '../wire/json.ts';
import { isList, isObject, type JsonObject, type JsonValue } from '../wire/value.ts';
import { descriptionOf, type GnocchiApi, parsedOf } from './api.ts';

/** What became of a request; `refused` is final, with what Gnocchi says of it. */
export type Outcome = 'done' | 'exists' | 'missing' | { readonly refused: string };

export interface Resources {
  /** Creates a resource; `remembered` are those of its attributes that {@link Resources.update} need not send again. */
  create(type: string, resource: JsonObject, signal: AbortSignal, remembered?: JsonObject): Promise<Outcome>;
  /**
   * Sends the attributes unless they are what Gnocchi was told last. Those of one resource go in the order of calls.
   */
  update(type: string, id: string, attributes: JsonObject, signal: AbortSignal): Promise<Outcome>;
  /** Sends the attributes whatever it was told. */
  change(type: string, id: string, attributes: JsonObject, signal: AbortSignal): Promise<Outcome>;
  /** When it ended, as Gnocchi says it; null where it goes on, or is not there. */
  endOf(type: string, id: string, signal: AbortSignal): Promise<string | null>;
  /** The ids that a query finds. */
  search(type: string, query: JsonValue, signal: AbortSignal): Promise<readonly string[]>;
}

/** As upstream's cache: attributes are sent again after that, in case that somebody else changed them. */
const REMEMBERED_FOR = 600_000;
/** Ids come from outside, so what is remembered of them is bounded. */
const MOST_REMEMBERED = 100_000;

interface Told {
  readonly digest: string;
  readonly until: number;
}

export function createResources(api: GnocchiApi, clock: Clock): Resources {
  const told = new Map<string, Told>();
  const waiting = new Map<string, { readonly turns: Turns; count: number }>();

  function remember(id: string, attributes: JsonObject): void {
    told.delete(id);
    if (told.size >= MOST_REMEMBERED) {
      const [oldest] = told.keys();
      if (oldest !== undefined) told.delete(oldest);
    }
    told.set(id, { digest: digestOf(attributes), until: clock.monotonic() + REMEMBERED_FOR });
  }

  function knows(id: string, attributes: JsonObject): boolean {
    const known = told.get(id);
    return known !== undefined && clock.monotonic() < known.until && known.digest === digestOf(attributes);
  }

  async function inTurn<T>(id: string, work: () => Promise<T>): Promise<T> {
    const queue = waiting.get(id) ?? { turns: createTurns(), count: 0 };
    waiting.set(id, queue);
    queue.count += 1;
    try {
      return await queue.turns(work);
    } finally {
      queue.count -= 1;
      if (queue.count === 0) waiting.delete(id);
    }
  }

  async function change(type: string, id: string, attributes: JsonObject, signal: AbortSignal): Promise<Outcome> {
    const path = `/v1/resource/${type}/${encodeURIComponent(id)}`;
    return outcomeOf(await api.request('PATCH', path, { body: stringifyJson(attributes), signal }));
  }

  return {
    change,
    async create(type, resource, signal, remembered) {
      const body = stringifyJson(resource);
      const outcome = outcomeOf(await api.request('POST', `/v1/resource/${type}`, { body, signal }));
      const { id } = resource;
      if (outcome === 'done' && remembered !== undefined && typeof id === 'string') remember(id, remembered);
      return outcome;
    },
    async update(type, id, attributes, signal) {
      if (knows(id, attributes)) return 'done';
      return inTurn(id, async () => {
        if (knows(id, attributes)) return 'done';
        const outcome = await change(type, id, attributes, signal);
        if (outcome === 'done') remember(id, attributes);
        return outcome;
      });
    },
    async endOf(type, id, signal) {
      const response = await api.request('GET', `/v1/resource/${type}/${encodeURIComponent(id)}`, { signal });
      if (response.status !== 200 && passes(response))
        throw new DeliveryError(`Gnocchi answered ${said(response)}`, { retryable: true });
      const found = response.status === 200 ? parsedOf(response.text) : undefined;
      const ended = found !== undefined && isObject(found) ? found['ended_at'] : undefined;
      return typeof ended === 'string' ? ended : null;
    },
    async search(type, query, signal) {
      const body = stringifyJson(query);
      const response = await api.request('POST', `/v1/search/resource/${type}`, { body, signal });
      const found = response.status === 200 ? parsedOf(response.text) : undefined;
      if (found === undefined || !isList(found)) {
        throw new DeliveryError(`a search for ${type} is answered with ${said(response)}`, {
          retryable: passes(response),
        });
      }
      return found.flatMap((one) => (isObject(one) && typeof one['id'] === 'string' ? [one['id']] : []));
    },
  };
}

function digestOf(attributes: JsonObject): string {
  return hash('sha1', stringifyJson(attributes), 'base64');
}

/** Throws a {@link DeliveryError} for an answer that another attempt may change. */
function outcomeOf(response: HttpResponse): Outcome {
  const { status } = response;
  if (status >= 200 && status < 300) return 'done';
  if (status === 409) return 'exists';
  if (status === 404) return 'missing';
  if (passes(response)) throw new DeliveryError(`Gnocchi answered ${said(response)}`, { retryable: true });
  return { refused: said(response) };
}

/** Whether another answer may come later: of a service in trouble, or when somebody mends the rights of the agent. */
export function passes({ status }: HttpResponse): boolean {
  return status >= 500 || [401, 403, 408, 425, 429].includes(status);
}

/** An answer in one line. */
export function said(response: HttpResponse): string {
  const description = descriptionOf(response);
  const text = typeof description === 'string' ? description : stringifyJson(description);
  return `${response.status}${description === null ? '' : ` ${text.replaceAll(/\s+/g, ' ').slice(0, 300)}`}`;
}
