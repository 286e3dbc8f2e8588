/** What is asked of Swift, account by account. */
import { ServiceError } from '../../errors.ts';
import type { Method, OpenStackService, PollContext } from '../../plugin.ts';
import { parseJson } from '../../wire/json-parser.ts';
import { isList, isObject, type JsonObject } from '../../wire/value.ts';

/** The totals that Swift tells of an account, by the names of their headers. */
type Account = Readonly<Record<string, string | undefined>>;

export interface SwiftApi {
  account(project: string, ctx: PollContext): Promise<Account>;
  /** The containers, page by page. */
  containers(project: string, ctx: PollContext): AsyncGenerator<readonly JsonObject[]>;
}

interface Page {
  readonly containers: readonly JsonObject[];
  /** Of the whole account, where Swift says so. */
  readonly total: number | undefined;
}

const TOTALS = ['x-account-object-count', 'x-account-bytes-used', 'x-account-container-count'];

export function createSwiftApi(service: OpenStackService, resellerPrefix: string): SwiftApi {
  /** The catalogue's URL has the account of the agent's own project. */
  async function request(method: Method, project: string, query: Readonly<Record<string, string>>, ctx: PollContext) {
    const endpoint = new URL(await service.endpoint(ctx.signal));
    const root = endpoint.pathname.replace(/\/v1(\/.*)?$/, '').replace(/\/+$/, '');
    const url = `${endpoint.origin}${root}/v1/${encodeURIComponent(resellerPrefix + project)}`;
    return service.request(method, url, { query, signal: ctx.signal });
  }

  async function page(project: string, marker: string | undefined, ctx: PollContext): Promise<Page> {
    const query = { format: 'json', ...(marker !== undefined && { marker }) };
    const { text, headers } = await request('GET', project, query, ctx);
    const listed = text === '' ? [] : parseJson(text);
    if (!isList(listed)) throw new ServiceError(`object-store: the containers of ${project} are no list`);
    const total = Number(headers['x-account-container-count'] ?? Number.NaN);
    return { containers: listed.filter(isObject).map(slim), total: Number.isNaN(total) ? undefined : total };
  }

  return {
    account: (project, ctx) =>
      ctx.cache.get(`swift account ${project}`, async () => {
        const { headers } = await request('HEAD', project, {}, ctx);
        return Object.fromEntries(TOTALS.map((name) => [name, headers[name]]));
      }),
    async *containers(project, ctx) {
      let marker: string | undefined;
      let next = await page(project, marker, ctx);
      for (let seen = 0; next.containers.length > 0; ) {
        yield next.containers;
        seen += next.containers.length;
        if (next.total !== undefined && seen >= next.total) return;
        const last = next.containers.at(-1)?.['name'];
        if (typeof last !== 'string') return;
        if (last === marker) throw new ServiceError(`object-store: the containers of ${project} go round in a circle`);
        marker = last;
        next = await page(project, marker, ctx);
      }
    },
  };
}

function slim({ name = null, count = null, bytes = null, storage_policy = null }: JsonObject): JsonObject {
  return { name, count, bytes, storage_policy };
}
