/**
 * etcd 3 through its JSON gateway, with tooz's keys: `tooz/groups/<group>/` says that the group is there, and
 * `tooz/groups/<group>/<member>` lives as long as the member's lease.
 */
import { ServiceError } from '../../../errors.ts';
import { createHttp } from '../../../openstack/http.ts';
import type { CoordinationBackend } from '../backend.ts';
import { type BackendUrl, UrlOptions, wrong } from '../backend-url.ts';
import { CAPABILITIES } from '../tooz.ts';

const LEASE = 30_000;
/** etcd refuses transactions of more than 128 operations. */
const GROUPS_AT_ONCE = 50;
const MAX_ANSWER = 16 * 1024 * 1024;

/** The options `ca_cert`, `cert_cert`, `cert_key`, `api_version`, `timeout` and `membership_timeout`. */
export function etcdBackend(url: BackendUrl, member: string): CoordinationBackend {
  if (url.user !== '') throw wrong('etcd takes the certificate of cert_cert and cert_key, not a user and password');
  const options = new UrlOptions(
    url,
    ['ca_cert', 'cert_cert', 'cert_key', 'api_version', 'timeout', 'membership_timeout'],
    ['lock_timeout'],
  );
  const timeout = options.milliseconds(['timeout'], LEASE);
  // etcd counts in seconds.
  const ttl = Math.ceil(options.milliseconds(['membership_timeout'], timeout) / 1000);
  const host = url.host.includes(':') ? `[${url.host}]` : url.host || 'localhost';
  const base = `${url.scheme.slice('etcd3+'.length)}://${host}:${url.port ?? 2379}/${options.text('api_version') ?? 'v3'}`;
  const http = createHttp({
    cafile: options.text('ca_cert'),
    certfile: options.text('cert_cert'),
    keyfile: options.text('cert_key'),
    insecure: false,
    timeout,
  });
  let leaseId: string | undefined;

  async function call(path: string, body: object, signal: AbortSignal): Promise<Answer> {
    const what = `etcd ${path}`;
    const { status, text } = await http.send({
      what,
      method: 'POST',
      url: new URL(`${base}/${path}`),
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
      maxBytes: MAX_ANSWER,
      signal,
    });
    const answer = parsed(text);
    if (status === 200 && answer !== undefined) return answer;
    if (answer?.code === NOT_FOUND) throw new LeaseLost(`${what}: ${answer.error}`);
    throw new ServiceError(`${what}: status ${status}${answer?.error === undefined ? '' : `, ${answer.error}`}`);
  }

  /** The lease, prolonged; a new one where there is none any more. */
  async function heldLease(signal: AbortSignal): Promise<string> {
    if (leaseId !== undefined) {
      const { result } = await call('lease/keepalive', { ID: leaseId }, signal);
      if (Number(result?.TTL ?? 0) > 0) return leaseId;
    }
    const { ID } = await call('lease/grant', { TTL: ttl }, signal);
    if (ID === undefined) throw new ServiceError('etcd lease/grant: the answer has no lease');
    leaseId = ID;
    return ID;
  }

  async function membersOf(groups: readonly string[], signal: AbortSignal): Promise<Map<string, string[]>> {
    const success = groups.map((group) => {
      const prefix = keyOf(group, '');
      return { request_range: { key: encode(prefix), range_end: encode(`${prefix.slice(0, -1)}0`), keys_only: true } };
    });
    const { responses = [] } = await call('kv/txn', { success }, signal);
    return new Map(
      groups.map((group, at) => {
        const keys = responses[at]?.response_range?.kvs ?? [];
        const names = keys.map(({ key }) => Buffer.from(key, 'base64').toString().slice(keyOf(group, '').length));
        return [group, names.filter((name) => name !== '')];
      }),
    );
  }

  async function join(groups: readonly string[], lease: string, signal: AbortSignal): Promise<void> {
    const success = groups.flatMap((group) => {
      const key = encode(keyOf(group, ''));
      return [
        {
          request_txn: {
            compare: [{ key, result: 'EQUAL', target: 'VERSION', version: 0 }],
            success: [{ request_put: { key, value: key } }],
          },
        },
        { request_put: { key: encode(keyOf(group, member)), value: CAPABILITIES.toString('base64'), lease } },
      ];
    });
    await call('kv/txn', { success }, signal);
  }

  async function syncSome(groups: readonly string[], signal: AbortSignal): Promise<Map<string, string[]>> {
    const lease = await heldLease(signal);
    const members = await membersOf(groups, signal);
    const absent = groups.filter((group) => !members.get(group)?.includes(member));
    if (absent.length === 0) return members;
    await join(absent, lease, signal);
    return membersOf(groups, signal);
  }

  return {
    shown: url.shown,
    lease: ttl * 1000,
    async sync(groups, signal) {
      const all = new Map<string, string[]>();
      for (const some of chunks(groups)) {
        const members = await syncSome(some, signal).catch((err: unknown) => {
          // It ended between two calls.
          if (!(err instanceof LeaseLost)) throw err;
          leaseId = undefined;
          return syncSome(some, signal);
        });
        for (const [group, names] of members) all.set(group, names);
      }
      return all;
    },
    async leave(groups, signal) {
      for (const some of chunks(groups)) {
        const success = some.map((group) => ({ request_delete_range: { key: encode(keyOf(group, member)) } }));
        await call('kv/txn', { success }, signal);
      }
    },
    close: () => http.close(),
  };
}

/** What is read of answers; whole numbers of 64 bits come as text. */
interface Answer {
  readonly ID?: string;
  readonly result?: { readonly TTL?: string };
  readonly responses?: readonly { readonly response_range?: { readonly kvs?: readonly { readonly key: string }[] } }[];
  readonly code?: number;
  readonly error?: string;
}

/** gRPC's number for it. */
const NOT_FOUND = 5;

class LeaseLost extends ServiceError {}

function parsed(text: string): Answer | undefined {
  try {
    const answer: unknown = JSON.parse(text);
    return typeof answer === 'object' && answer !== null ? answer : undefined;
  } catch {
    return undefined;
  }
}

function keyOf(group: string, member: string): string {
  return `tooz/groups/${group}/${member}`;
}

function encode(text: string): string {
  return Buffer.from(text).toString('base64');
}

function* chunks(groups: readonly string[]): Generator<readonly string[]> {
  for (let at = 0; at < groups.length; at += GROUPS_AT_ONCE) yield groups.slice(at, at + GROUPS_AT_ONCE);
}
