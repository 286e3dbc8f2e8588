/** Lists that services cut into pages. */
import { ServiceError } from '../errors.ts';
import { isList, isObject, type JsonObject, type JsonValue } from '../wire/value.ts';
import type { RequestOptions } from './service.ts';

type Get = (path: string, options: RequestOptions) => Promise<JsonObject>;

/**
 * Follows what an answer says is next: of that link only the query counts. Behind a proxy the rest of it often names a
 * host or a scheme under which the service cannot be reached.
 */
export async function* readPages(
  get: Get,
  path: string,
  collection: string,
  options: RequestOptions,
): AsyncGenerator<readonly JsonObject[]> {
  const seen = new Set<string>();
  let page = { path, options };
  for (;;) {
    const answer = await get(page.path, page.options);
    const items = answer[collection];
    if (items === undefined || !isList(items)) throw new ServiceError(`${path}: the answer has no list ${collection}`);
    yield items.filter(isObject);
    const next = nextLink(answer, collection);
    if (next === undefined || items.length === 0) return;
    const query = next.includes('?') ? next.slice(next.indexOf('?')) : '';
    if (query === '' || seen.has(query)) throw new ServiceError(`${path}: its pages go round in a circle`);
    seen.add(query);
    const { query: _, ...rest } = options;
    page = { path: `${path.replace(/\?.*/, '')}${query}`, options: rest };
  }
}

/** Each service has its own way to say it. */
function nextLink(answer: JsonObject, collection: string): string | undefined {
  for (const links of [answer[`${collection}_links`], answer['links'], answer['next']]) {
    if (typeof links === 'string') return links;
    if (links === undefined) continue;
    if (isList(links)) {
      const link = links.find((one) => isObject(one) && one['rel'] === 'next');
      const href = link === undefined ? undefined : textIn(link, 'href');
      if (href !== undefined) return href;
    } else {
      const href = textIn(links, 'next');
      if (href !== undefined) return href;
    }
  }
  return undefined;
}

function textIn(value: JsonValue, key: string): string | undefined {
  const text = isObject(value) ? value[key] : undefined;
  return typeof text === 'string' && text !== '' ? text : undefined;
}
