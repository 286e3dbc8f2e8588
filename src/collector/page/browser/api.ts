/** The read API, as the page uses it. */
import type { MeterPage, ResourceDetail, ResourcePage, SamplePage, StatisticsPage, Status } from '../../api/schema.ts';

/** A bearer token is needed, or the one that was given is wrong. */
export class Unauthorized extends Error {}

/** The collector does not answer. */
export class Unreachable extends Error {}

/** The collector answers that it cannot. */
export class Refused extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

type Query = Readonly<Record<string, string | number | undefined>>;

export interface Api {
  status(): Promise<Status>;
  meters(query: Query): Promise<MeterPage>;
  resources(query: Query): Promise<ResourcePage>;
  resource(id: string): Promise<ResourceDetail>;
  samples(query: Query, signal?: AbortSignal): Promise<SamplePage>;
  statistics(query: Query, signal?: AbortSignal): Promise<StatisticsPage>;
}

const PATIENCE = 15_000;

export function createApi(token: () => string | null): Api {
  async function get<T>(path: string, query: Query = {}, signal?: AbortSignal): Promise<T> {
    const search = new URLSearchParams();
    for (const [name, value] of Object.entries(query)) if (value !== undefined) search.set(name, String(value));
    const given = token();
    const limit = AbortSignal.timeout(PATIENCE);
    let response: Response;
    let body: string;
    try {
      response = await fetch(`${path}?${search}`, {
        signal: signal === undefined ? limit : AbortSignal.any([signal, limit]),
        headers: given === null ? {} : { Authorization: `Bearer ${given}` },
      });
      body = await response.text();
    } catch (error) {
      if (signal?.aborted) throw error;
      throw new Unreachable('the collector does not answer', { cause: error });
    }
    if (response.status === 401) throw new Unauthorized(given === null ? 'a token is needed' : 'the token is wrong');
    if (!response.ok) throw new Refused(response.status, problemOf(body) ?? `status ${response.status}`);
    return JSON.parse(body, exactly) as T;
  }

  return {
    status: () => get('v1/status'),
    meters: (query) => get('v1/meters', query),
    resources: (query) => get('v1/resources', query),
    resource: (id) => get(`v1/resources/${encodeURIComponent(id)}`),
    samples: (query, signal) => get('v1/samples', query, signal),
    statistics: (query, signal) => get('v1/statistics', query, signal),
  };
}

/** Integers above 2^53 stay exact where the browser tells how they were written. */
function exactly(this: unknown, _key: string, value: unknown, context?: { readonly source?: string }): unknown {
  if (typeof value !== 'number' || Number.isSafeInteger(value) || context?.source === undefined) return value;
  return /^-?\d+$/.test(context.source) ? BigInt(context.source) : value;
}

function problemOf(body: string): string | undefined {
  try {
    const { error } = JSON.parse(body) as { readonly error?: unknown };
    return typeof error === 'string' ? error : undefined;
  } catch {
    return undefined;
  }
}
