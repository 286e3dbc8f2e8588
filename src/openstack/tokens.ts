/** The token of a session: fetched when needed, shared by all requests, renewed before it expires. */
import * as v from 'valibot';
import { describeError, ServiceError } from '../errors.ts';
import type { Clock } from '../util/clock.ts';
import { untilAborted } from '../util/scope.ts';
import { singleFlight } from '../util/single-flight.ts';
import type { Catalogue } from './catalogue.ts';
import { readCatalogue } from './catalogue.ts';
import { statusOf } from './errors.ts';
import type { HttpResponse } from './http.ts';

/** What Keystone granted. */
export interface Access {
  readonly token: string;
  /** What tells a service of it. */
  readonly headers: Readonly<Record<string, string>>;
  readonly catalogue: Catalogue;
  /** The project that the token is for; undefined for one that is for no project. */
  readonly projectId: string | undefined;
  readonly userId: string | undefined;
  /** On the clock that never steps. */
  readonly since: number;
  /** From then on another one is asked for. */
  readonly renewAt: number;
  readonly expires: number;
}

export interface Tokens {
  /** A token that is good for a while yet. */
  get(signal: AbortSignal): Promise<Access>;
  /** Another one than `stale`, which a service has refused. Callers with the same stale one share the new one. */
  renew(stale: Access, signal: AbortSignal): Promise<Access>;
  /** Its catalogue may be out of date: asks for another one at the next request, unless it is recent. */
  doubt(access: Access): void;
}

/** For credentials that are no token: always the same, for a catalogue without entries. */
export function fixedTokens(headers: Access['headers']): Tokens {
  const ever = { since: 0, renewAt: Number.POSITIVE_INFINITY, expires: Number.POSITIVE_INFINITY };
  const access: Access = { token: '', headers, catalogue: [], projectId: undefined, userId: undefined, ...ever };
  return { get: async () => access, renew: async () => access, doubt() {} };
}

export interface TokensParts {
  /** Asks Keystone for a token, with a deadline of its own. Resolves with an answer of success. */
  readonly login: () => Promise<HttpResponse>;
  readonly clock: Clock;
}

/** keystoneauth's: what is begun with a token may take that long. Less for tokens that do not live long. */
const SPARE_LIFE = 120_000;
const SPARE_SHARE = 0.25;
/** A catalogue as recent as this is not fetched again. */
const RECENT = 300_000;
/** Between two attempts. Refused credentials are not tried often: Keystone may lock the account. */
const PAUSE = 5000;
const PAUSE_WHEN_REFUSED = 60_000;

export function createTokens({ login, clock }: TokensParts): Tokens {
  let current: Access | undefined;
  let doubted: Access | undefined;
  let failed: { readonly error: unknown; readonly until: number } | undefined;

  const fetch = singleFlight(async () => {
    if (failed !== undefined && clock.monotonic() < failed.until) {
      throw new ServiceError(describeError(failed.error), { cause: failed.error });
    }
    try {
      current = readAccess(await login(), clock);
      failed = undefined;
      return current;
    } catch (error) {
      const pause = [401, 403].includes(statusOf(error) ?? 0) ? PAUSE_WHEN_REFUSED : PAUSE;
      failed = { error, until: clock.monotonic() + pause };
      throw error;
    }
  });

  async function get(signal: AbortSignal): Promise<Access> {
    const old = current;
    if (old !== undefined && old !== doubted && clock.monotonic() < old.renewAt) return old;
    try {
      return await untilAborted(fetch(), signal);
    } catch (error) {
      // One that is still good will do while Keystone is away.
      if (signal.aborted || old === undefined || old !== current || clock.monotonic() >= old.expires) throw error;
      return old;
    }
  }

  return {
    get,
    renew(stale, signal) {
      if (current === stale) current = undefined;
      return get(signal);
    },
    doubt(access) {
      if (clock.monotonic() - access.since >= RECENT) doubted = access;
    },
  };
}

const tokenSchema = v.object({
  token: v.object({
    expires_at: v.string(),
    issued_at: v.optional(v.string()),
    catalog: v.optional(v.unknown()),
    project: v.nullish(v.object({ id: v.string() })),
    user: v.nullish(v.object({ id: v.string() })),
  }),
});

function readAccess({ headers, text }: HttpResponse, clock: Clock): Access {
  const token = headers['x-subject-token'];
  const now = clock.monotonic();
  try {
    if (token === undefined) throw new Error('there is no X-Subject-Token');
    const parsed = v.parse(tokenSchema, JSON.parse(text)).token;
    // By Keystone's own clock, which may differ from ours.
    const issued = parsed.issued_at === undefined ? clock.now() : Date.parse(parsed.issued_at);
    const life = Date.parse(parsed.expires_at) - issued;
    if (!(life > 0)) throw new Error(`it was issued at ${parsed.issued_at} and expired at ${parsed.expires_at}`);
    return {
      token,
      headers: { 'x-auth-token': token },
      catalogue: readCatalogue(parsed.catalog ?? []),
      projectId: parsed.project?.id,
      userId: parsed.user?.id,
      since: now,
      renewAt: now + life - Math.min(SPARE_LIFE, life * SPARE_SHARE),
      expires: now + life,
    };
  } catch (cause) {
    throw new ServiceError('identity: the answer of Keystone is no token', { cause });
  }
}
