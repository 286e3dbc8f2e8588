/** What every backend promises, each against the real thing. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createClient } from '@redis/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CoordinationBackend } from '../../../src/agent/coordination/backend.ts';
import { openBackend } from '../../../src/agent/coordination/open-backend.ts';
import { startEtcd } from '../../helpers/etcd.ts';
import { eventually } from '../../helpers/eventually.ts';
import { soon as signal } from '../../helpers/patience.ts';
import { makePki } from '../../helpers/pki.ts';
import { startRedis, startSentinel } from '../../helpers/redis.ts';
import type { Restartable, ServerTls } from '../../helpers/restartable.ts';
import { describeWith } from '../../helpers/services.ts';

const LEASE = 3_000;

interface Place extends AsyncDisposable {
  readonly url: string;
  /** Takes the service away and brings it back; not for files. */
  readonly service?: Pick<Restartable, 'start' | 'stop'>;
}

function promises(start: () => Promise<Place>): void {
  let place: Place;
  let opened: CoordinationBackend[] = [];

  beforeAll(async () => {
    place = await start();
  });

  afterAll(async () => {
    for (const backend of opened) await backend.close();
    opened = [];
    await place?.[Symbol.asyncDispose]();
  });

  function member(name: string): CoordinationBackend {
    const backend = openBackend(place.url, name);
    opened.push(backend);
    return backend;
  }

  async function members(backend: CoordinationBackend, group: string): Promise<readonly string[]> {
    const answer = await backend.sync([group], signal());
    return [...(answer.get(group) ?? [])].sort();
  }

  it('shows each member all of its groups, and keeps groups apart', async () => {
    const [a, b] = [member('a'), member('b')];

    await a.sync(['first', 'both'], signal());
    const answer = await b.sync(['both', 'second'], signal());

    expect(Object.fromEntries([...answer].map(([group, names]) => [group, [...names].sort()]))).toEqual({
      both: ['a', 'b'],
      second: ['b'],
    });
    expect(await members(a, 'both')).toEqual(['a', 'b']);
  });

  it('takes names of groups as they come', async () => {
    const group = 'central compute-übung/%20 *?[a]\\:x';

    await member('a').sync([group, `${group}2`], signal());

    expect(await members(member('b'), group)).toEqual(['a', 'b']);
  });

  it('keeps more groups than fit in one request', async () => {
    const groups = Array.from({ length: 130 }, (_, index) => `many ${index}`);

    const [a, b] = [member('a'), member('b')];

    const withTwo = async () => {
      await a.sync(groups, signal());
      const answer = await b.sync(groups, signal());
      return [...answer.values()].filter((names) => names.length === 2).length;
    };

    // Where it takes longer than the lease, it takes another time.
    await eventually(withTwo).toBe(130);
  });

  it('does not show a member that left, from then on', async () => {
    const [a, b] = [member('a'), member('b')];
    await a.sync(['left', 'stayed'], signal());
    await b.sync(['left', 'stayed'], signal());

    await a.leave(['left'], signal());

    expect([await members(b, 'left'), await members(b, 'stayed')]).toEqual([['b'], ['a', 'b']]);
  });

  it('keeps a member that syncs in its lease, no longer, and takes it back', async () => {
    const [a, b] = [member('a'), member('b')];
    for (let beat = 0; beat < 6; beat += 1) {
      await a.sync(['beating'], signal());
      await sleep(LEASE / 5);
    }
    const kept = await members(b, 'beating');

    await eventually(() => members(b, 'beating')).toEqual(['b']);
    await a.sync(['beating'], signal());

    expect(a.lease).toBe(LEASE);
    expect(kept).toEqual(['a', 'b']);
    expect(await members(b, 'beating')).toEqual(['a', 'b']);
  });

  it('fails while the service is away, and goes on by itself when it is back', async ({ skip }) => {
    if (place.service === undefined) return skip();
    const [a, b] = [member('a'), member('b')];
    await a.sync(['restart'], signal());

    await place.service.stop();
    await expect(a.sync(['restart'], signal())).rejects.toThrow();
    await expect(member('c').sync(['restart'], signal())).rejects.toThrow();
    await place.service.start();

    await eventually(() => members(a, 'restart').catch(() => [])).toContain('a');
    await eventually(() => members(b, 'restart').catch(() => [])).toEqual(['a', 'b']);
  });
}

const seconds = LEASE / 1000;

describe('members in files', () => {
  promises(async () => {
    const folder = mkdtempSync(join(tmpdir(), 'ceilometer-members-'));
    return {
      url: `file://${folder}?timeout=${seconds}`,
      [Symbol.asyncDispose]: async () => rmSync(folder, { recursive: true }),
    };
  });
});

describeWith('etcd', 'members in etcd', () => {
  promises(async () => {
    const etcd = await startEtcd();
    const dispose = () => etcd[Symbol.asyncDispose]();
    return {
      url: `etcd3+http://127.0.0.1:${etcd.port}?membership_timeout=${seconds}`,
      service: etcd,
      [Symbol.asyncDispose]: dispose,
    };
  });
});

describeWith('redis', 'members in Redis', () => {
  promises(async () => {
    const redis = await startRedis(['requirepass secret']);
    return {
      url: `redis://:secret@127.0.0.1:${redis.port}?membership_timeout=${seconds}&db=3`,
      service: redis,
      [Symbol.asyncDispose]: () => redis[Symbol.asyncDispose](),
    };
  });
});

describeWith('redis', 'members in Redis behind sentinels', () => {
  it('follows the master when it fails', async () => {
    const master = await startRedis();
    const replica = await startRedis([`replicaof 127.0.0.1 ${master.port}`]);
    const look = createClient({ socket: { port: master.port } });
    await look.connect();
    await eventually(() => look.info('replication')).toContain('state=online');
    look.destroy();
    // It asks the master for its replicas at first, and then every ten seconds.
    const sentinel = await startSentinel(master.port);
    // The first sentinel is away for good.
    const backend = openBackend(
      `redis://127.0.0.1:1?sentinel=mymaster&sentinel_fallback=127.0.0.1:${sentinel.port}&socket_timeout=2`,
      'a',
    );
    const joined = () => backend.sync(['g'], AbortSignal.timeout(2_000)).then((answer) => answer.get('g'));
    try {
      await eventually(() => joined().catch(String)).toEqual(['a']);
      await master.stop();

      await eventually(() => joined().catch(String)).toEqual(['a']);
    } finally {
      await backend.close();
      for (const server of [sentinel, replica, master]) await server[Symbol.asyncDispose]();
    }
  });
});

describeWith(['etcd', 'redis', 'openssl'], 'members over TLS', () => {
  let folder: string;
  const file = (name: string) => join(folder, `${name}.pem`);

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'ceilometer-tls-'));
    await makePki(folder);
  });

  afterAll(() => rmSync(folder, { recursive: true }));

  const server = (): ServerTls => ({ ca: file('cacert'), cert: file('servercert'), key: file('serverkey') });

  /** What a member sees that shows a certificate, and one that shows none. */
  async function tries(start: (tls: ServerTls) => Promise<Restartable>, url: (port: number) => string, own: string) {
    await using service = await start(server());
    const backends = [openBackend(url(service.port) + own, 'a'), openBackend(url(service.port), 'b')];
    const seen = [];
    for (const backend of backends) {
      seen.push(
        await backend.sync(['g'], signal()).then(
          (answer) => answer.get('g'),
          () => 'refused',
        ),
      );
      await backend.close();
    }
    return seen;
  }

  it('knows etcd by its authority, and is known by a certificate', async () => {
    const url = (port: number) => `etcd3+https://localhost:${port}?ca_cert=${file('cacert')}`;
    const own = `&cert_cert=${file('clientcert')}&cert_key=${file('clientkey')}`;

    expect(await tries(startEtcd, url, own)).toEqual([['a'], 'refused']);
  });

  it('knows Redis by its authority, and is known by a certificate', async () => {
    const url = (port: number) => `redis://localhost:${port}?ssl=true&ssl_ca_certs=${file('cacert')}`;
    const own = `&ssl_certfile=${file('clientcert')}&ssl_keyfile=${file('clientkey')}`;

    expect(await tries((tls) => startRedis([], tls), url, own)).toEqual([['a'], 'refused']);
  });
});
