/** APIs outside of the catalogue, with credentials of their own. */
import { ServiceError } from '../../errors.ts';
import { ApiError } from '../../openstack/errors.ts';
import type { Http, HttpResponse } from '../../openstack/http.ts';
import type { Host } from '../../plugin.ts';
import { scope } from '../../util/scope.ts';
import type { Authentication } from './authentication.ts';
import { secretIdOf } from './barbican.ts';
import type { Definition } from './definition.ts';
import type { Source, Step } from './source.ts';
import type { Template } from './template.ts';

export interface ApiParts {
  readonly urls: readonly Template[];
  readonly authentication: Authentication;
  readonly parameters: string;
  readonly secretId: string;
}

const MOST_REDIRECTS = 3;
/** Milliseconds: the pages of a poll share a secret, the polls do not. */
const SECRET_LIFE = 10_000;
const REDIRECTS = new Set([301, 302, 303, 307, 308]);

export function apiSource(host: Host, http: Http, definition: Definition, parts: ApiParts): Source {
  let known: { readonly of: string; readonly words: readonly string[]; readonly until: number } | undefined;

  async function credentials(secretId: string, signal: AbortSignal): Promise<readonly string[]> {
    if (known?.of === secretId && performance.now() < known.until) return known.words;
    const { parameters } = parts;
    if (parameters === '' && secretId === '') {
      throw new ServiceError(`${definition.name}: neither authentication_parameters nor barbican_secret_id is set`);
    }
    const text = parameters === '' ? await secret(secretId, signal) : parameters;
    const words = text.split(',').map((part) => part.trim());
    known = { of: secretId, words, until: performance.now() + SECRET_LIFE };
    return words;
  }

  async function secret(id: string, signal: AbortSignal): Promise<string> {
    const service = host.openstack().service('key-manager', { version: 'v1' });
    const path = `secrets/${encodeURIComponent(id)}/payload`;
    return (await service.request('GET', path, { headers: { accept: '*/*' }, signal })).text;
  }

  /** The time limit of a definition begins when it is its turn. */
  function send(what: string, url: URL, words: readonly string[], signal: AbortSignal): Promise<HttpResponse> {
    return host.budget.spend(url.host, signal, async () => {
      using limit = scope(signal, definition.timeout, what);
      const headers = { accept: '*/*', ...definition.headers, ...parts.authentication(url, words, new Date()) };
      return await http.send({ what, method: 'GET', url, headers, signal: limit.signal });
    });
  }

  function step(url: URL, resource: string): Step {
    const secretId = secretIdOf(resource) || parts.secretId;
    return {
      key: `${url.href} ${secretId}`,
      async fetch(signal) {
        const what = `${definition.name} GET ${url.host}${url.pathname}`;
        const words = await credentials(secretId, signal);
        for (let at = url, redirects = 0; ; redirects += 1) {
          const answer = await send(what, at, words, signal);
          if (answer.status === 200) return answer.text;
          const { location } = answer.headers;
          const next = location === undefined ? undefined : new URL(location, at);
          // Credentials are for nobody else.
          const follows = REDIRECTS.has(answer.status) && next?.origin === at.origin && redirects < MOST_REDIRECTS;
          if (next === undefined || !follows) throw new ApiError(`${what} answered ${answer.status}`, answer.status);
          at = next;
        }
      },
    };
  }

  function urlOf(text: string, base?: string): URL {
    if (!URL.canParse(text, base)) throw new ServiceError(`${definition.name}: ${JSON.stringify(text)} is no URL`);
    return new URL(text, base);
  }

  return {
    begin: (resource, inputs) => parts.urls.map((url) => step(urlOf(url.render(inputs)), resource)),
    follow(next, resource, inputs) {
      const base = parts.urls[0]?.render(inputs) ?? '';
      const from = urlOf(base);
      const url = urlOf(next, base.endsWith('/') ? base : `${base}/`);
      if (url.origin !== from.origin) {
        throw new ServiceError(`${definition.name}: the next page is at ${url.origin}, which is another host`);
      }
      return step(url, resource);
    },
  };
}
