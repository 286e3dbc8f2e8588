import { setMaxListeners } from 'node:events';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { codeOf, describeError } from '../../src/errors.ts';
import { createInspector, type InspectorOptions, type LibvirtInspector } from '../../src/libvirt/create-inspector.ts';
import type { Domain } from '../../src/libvirt/inspector.ts';
import { Pace } from '../../src/libvirt/pace.ts';
import * as procedures from '../../src/libvirt/procedures.ts';
import {
  type FakeLibvirtd,
  type FakeOptions,
  fakeDomain,
  type Reaction,
  startFakeLibvirtd,
} from '../../src/testing/fake-libvirtd.ts';
import { statsPayload } from '../../src/testing/fake-libvirtd-wire.ts';
import { eventually } from '../helpers/eventually.ts';
import { type RecordingLog, recordingLog } from '../helpers/recording-log.ts';

const { signal } = new AbortController();
// Many callers wait on it at once here.
setMaxListeners(0, signal);

const closers: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function serve(options: FakeOptions): Promise<FakeLibvirtd> {
  const server = await startFakeLibvirtd(options);
  closers.push(() => server.close());
  return server;
}

function inspect(uri: string, options: Partial<InspectorOptions> = {}) {
  const log = recordingLog();
  const inspector = createInspector({ uri, log, ...options });
  closers.push(() => inspector.close());
  return { inspector, log };
}

/** A server with this many domains and an inspector that has read them. */
async function loaded(count: number, options: Partial<InspectorOptions & FakeOptions> = {}) {
  const domains = Array.from({ length: count }, (_, index) => fakeDomain(index + 1));
  const server = await serve({ domains, ...options });
  const { inspector, log } = inspect(server.uri, options);
  const list = await inspector.domains(signal);
  server.forgetCalls();
  return { server, inspector, log, list };
}

function warnings(log: RecordingLog) {
  return log.lines.filter(({ level }) => level === 'warn');
}

function names(domains: readonly Domain[]): readonly string[] {
  return domains.map(({ name }) => name).sort();
}

/** Has the calls about a domain misbehave, whatever other domains they name. */
function spoil(server: FakeLibvirtd, procedure: { readonly number: number }, uuid: string, reaction: Reaction): void {
  server.react((call) =>
    call.procedure === procedure.number && call.domains.some((domain) => domain.uuid === uuid) ? reaction : undefined,
  );
}

/** The domain is stuck: waiting for it never ends, not waiting for it gives what libvirt knows by itself. */
function stick(server: FakeLibvirtd, ...uuids: readonly string[]): void {
  const stuck = new Set(uuids);
  server.react((call) => {
    const named = call.domains.filter((domain) => stuck.has(domain.uuid));
    if (named.length === 0 || call.procedure === procedures.domainXml.number) return undefined;
    if (call.procedure !== procedures.allDomainStats.number || call.flags !== procedures.STATS_NOWAIT)
      return { kind: 'silence' };
    const partial = { 'state.state': 1, 'cpu.time': 5n, 'block.count': 1, 'block.0.name': 'vda' };
    const known = call.domains.flatMap((domain) => server.domains.get(domain.uuid) ?? []);
    return {
      kind: 'payload',
      payload: statsPayload(known.map((domain) => (stuck.has(domain.uuid) ? { ...domain, stats: partial } : domain))),
    };
  });
}

const TOO_MANY =
  'too many domains do not answer, some of the others are not asked for disk and memory statistics until they do';

/**
 * Stuck domains as QEMU's driver has them: the first call that needs one hangs in it until it is released, further
 * ones are answered in part when they do not wait, and what needs no domain is always answered.
 */
function hangLikeQemu(server: FakeLibvirtd) {
  const stuck = new Set<string>();
  const held = new Set<string>();
  let hung = 0;
  server.react((call) => {
    if (call.procedure !== procedures.allDomainStats.number) return undefined;
    const partial = { 'state.state': 1, 'cpu.time': 5n, 'vcpu.current': 1, 'block.count': 1, 'block.0.name': 'vda' };
    const known = call.domains.flatMap((domain) => server.domains.get(domain.uuid) ?? []);
    if (call.groups !== procedures.STATS_GROUPS_UNASKED) {
      const nowait = call.flags === procedures.STATS_NOWAIT;
      const first = known.find(({ uuid }) => stuck.has(uuid) && !(nowait && held.has(uuid)));
      if (first !== undefined) {
        held.add(first.uuid);
        hung++;
        return { kind: 'silence' };
      }
    }
    const records = known.map((domain) => (stuck.has(domain.uuid) ? { ...domain, stats: partial } : domain));
    return { kind: 'payload', payload: statsPayload(records) };
  });
  return {
    hang: (uuid: string) => void stuck.add(uuid),
    /** Calls that hang. */
    hung: () => hung,
    release() {
      stuck.clear();
      held.clear();
      server.answerSilenced();
    },
  };
}

describe('the list of domains', () => {
  it('is read once, and no call is made while nothing changes', async () => {
    const { server, inspector, list } = await loaded(3);

    const again = await inspector.domains(signal);

    expect(names(list)).toEqual(['instance-00000001', 'instance-00000002', 'instance-00000003']);
    expect(again).toBe(list);
    expect(server.calls).toEqual([]);
  });

  it('takes up a new domain, a changed one and one that is gone with one call each', async () => {
    const { server, inspector, list } = await loaded(3);
    const [first, second, third] = list.map(({ uuid }) => server.domains.get(uuid));
    if (first === undefined || second === undefined || third === undefined) throw new Error('three domains');
    const added = fakeDomain(4);
    server.domains.set(added.uuid, added);
    server.domains.set(second.uuid, { ...second, xml: `${second.xml}<!-- a disk more -->` });
    server.domains.delete(third.uuid);

    server.emit('lifecycle', added);
    server.emit('device-added', second);
    server.emit('lifecycle', third);
    await eventually(async () => names(await inspector.domains(signal))).toEqual([first.name, second.name, added.name]);
    const changed = await inspector.domains(signal);

    expect(changed.find(({ uuid }) => uuid === first.uuid)).toBe(list.find(({ uuid }) => uuid === first.uuid));
    expect(changed.find(({ uuid }) => uuid === second.uuid)?.xml).toContain('a disk more');
    expect(server.calls.map(({ procedure }) => procedure)).toEqual(Array(3).fill(procedures.domainXml.number));
  });

  it('keeps the object of a domain whose XML an event did not change after all', async () => {
    const { server, inspector, list } = await loaded(1);
    const [domain] = list;
    if (domain === undefined) throw new Error('one domain');

    server.emit('metadata-change', domain);
    await eventually(async () => (await inspector.domains(signal)) && server.count(procedures.domainXml)).toBe(1);

    expect((await inspector.domains(signal))[0]).toBe(domain);
  });

  it('has the id that the XML tells, -1 for a domain that is shut off, and the new name of a renamed one', async () => {
    const { server, inspector } = await loaded(1);
    const stopped = fakeDomain(1, { id: -1, name: 'renamed "quoted" ünïcode' });
    server.domains.set(stopped.uuid, stopped);

    server.emit('lifecycle', { ...stopped, id: 99 });

    await eventually(async () => inspector.domains(signal)).toEqual([
      { uuid: stopped.uuid, name: stopped.name, id: -1, xml: stopped.xml },
    ]);
  });

  it('is shared by callers that ask at the same time', async () => {
    const server = await serve({ domains: [fakeDomain(1)] });
    const { inspector } = inspect(server.uri);

    const lists = await Promise.all(Array.from({ length: 36 }, () => inspector.domains(signal)));

    expect(new Set(lists).size).toBe(1);
    expect(server.count(procedures.listAllDomains)).toBe(1);
    expect(inspector.connections).toBe(1);
  });

  it('is asked for each time where the driver has no events, with the XML of what is new', async () => {
    const { server, inspector, log } = await loaded(2, { events: false });
    const added = fakeDomain(3);
    server.domains.set(added.uuid, added);

    const list = await inspector.domains(signal);

    expect(names(list)).toHaveLength(3);
    expect(server.calls.map(({ procedure }) => procedure)).toEqual([
      procedures.listAllDomains.number,
      procedures.domainXml.number,
    ]);
    expect(log.fields('connected to libvirt')[0]).toMatchObject({ events: false });
  });

  it('lets go of what is undefined where the driver has no events, also when that is during a cycle', async () => {
    const { server, inspector, list } = await loaded(3, { events: false });
    const [first, second] = list;
    if (first === undefined || second === undefined) throw new Error('three domains');
    server.domains.delete(first.uuid);
    const during = await inspector.stats(list, signal);

    server.domains.delete(second.uuid);
    const later = await inspector.domains(signal);

    expect([...during.keys()]).not.toContain(first.uuid);
    expect(names(later)).toEqual(['instance-00000003']);
  });

  it('leaves out a domain that vanishes between list and XML, without a word above debug', async () => {
    const server = await serve({ domains: [fakeDomain(1), fakeDomain(2)] });
    spoil(server, procedures.domainXml, fakeDomain(2).uuid, { kind: 'error', number: 42, message: 'Domain not found' });
    const { inspector, log } = inspect(server.uri);

    expect(names(await inspector.domains(signal))).toEqual(['instance-00000001']);
    expect(warnings(log)).toEqual([]);
  });

  it('goes on without a domain whose XML libvirt refuses, and takes it up when it no longer does', async () => {
    const server = await serve({ domains: [fakeDomain(1), fakeDomain(2)] });
    spoil(server, procedures.domainXml, fakeDomain(2).uuid, {
      kind: 'error',
      number: 1,
      message: 'internal error: no XML',
    });
    const { inspector, log } = inspect(server.uri);

    const before = [await inspector.domains(signal), await inspector.domains(signal)];
    server.react(() => undefined);
    const after = await inspector.domains(signal);

    expect(before.map((list) => list.length)).toEqual([1, 1]);
    expect(after).toHaveLength(2);
    expect(warnings(log)).toHaveLength(1);
    expect(log.fields('libvirt does not tell about a domain')).toHaveLength(1);
    expect(log.told).toContain('info libvirt tells about a domain again');
  });

  it('of thousands of domains is read whole', async () => {
    const { list } = await loaded(3_000);

    expect(new Set(names(list)).size).toBe(3_000);
  });
});

describe('statistics', () => {
  it('come from a few calls over disjoint lists', async () => {
    const { server, inspector, list } = await loaded(10);

    const stats = await inspector.stats(list, signal);

    expect(stats.size).toBe(10);
    expect(stats.get(fakeDomain(7).uuid)).toMatchObject({
      vcpus: [{ time: 900_000_000n, wait: 5n }],
      disks: [{ name: 'vda', readRequests: 7n }],
    });
    const calls = server.calls.filter(({ procedure }) => procedure === procedures.allDomainStats.number);
    expect(calls.map(({ domains }) => domains.length).sort()).toEqual([2, 2, 3, 3]);
    expect(new Set(calls.flatMap(({ domains }) => domains.map(({ uuid }) => uuid))).size).toBe(10);
    expect(calls.map(({ flags }) => flags)).toEqual([0, 0, 0, 0]);
  });

  it('begin with a short list in the first reading of all', async () => {
    const { server, inspector, list } = await loaded(100);
    const asked = () =>
      server.calls
        .filter(({ procedure }) => procedure === procedures.allDomainStats.number)
        .map(({ domains }) => domains.map(({ uuid }) => uuid));

    const stats = await inspector.stats(list, signal);
    const first = asked();
    await inspector.stats(list, signal);

    expect(stats.size).toBe(100);
    expect(first.map((uuids) => uuids.length)).toEqual([4, 25, 25, 25, 21]);
    expect(new Set(first.flat()).size).toBe(100);
    expect(
      asked()
        .slice(first.length)
        .map((uuids) => uuids.length),
    ).toEqual([25, 25, 25, 25]);
  });

  it('are told list by list as libvirt answers, each domain once', async () => {
    const { server, inspector, list } = await loaded(10);
    spoil(server, procedures.allDomainStats, fakeDomain(1).uuid, { kind: 'silence' });
    const told: string[] = [];

    const stats = inspector.stats(list, signal, (some) => told.push(...some.keys()));
    await eventually(() => told.length).toBeGreaterThanOrEqual(7);
    const before = [...told];
    server.answerSilenced();

    expect([...(await stats).keys()].sort()).toEqual([...told].sort());
    expect(before).not.toContain(fakeDomain(1).uuid);
    expect(new Set(told).size).toBe(10);
    expect(told).toHaveLength(10);
  });

  it('have the time of a whole domain only where its vCPUs do not tell theirs, and are then asked for it', async () => {
    const { server, inspector, list } = await loaded(30, { parallelCalls: 2 });
    const odd = fakeDomain(3);
    const { 'vcpu.0.wait': _, ...without } = odd.stats;
    server.domains.set(odd.uuid, { ...odd, stats: without });

    const stats = await inspector.stats(list, signal);

    const calls = server.calls.filter(({ procedure }) => procedure === procedures.allDomainStats.number);
    const withCpu = calls.filter(({ groups }) => groups === procedures.STATS_GROUPS);
    expect(withCpu.map(({ domains }) => domains.map(({ uuid }) => uuid))).toEqual([[odd.uuid]]);
    expect([...stats].filter(([, { cpuTime }]) => cpuTime !== undefined)).toEqual([
      [odd.uuid, expect.objectContaining({ cpuTime: 1_000_000_003n, disks: [expect.anything()] })],
    ]);
    expect(stats.size).toBe(30);
  });

  it('are asked for with the time of whole domains from the beginning where most of them need it', async () => {
    const { server, inspector, list } = await loaded(30, { parallelCalls: 2 });
    for (const { uuid } of list) {
      const domain = server.domains.get(uuid) ?? fakeDomain(1);
      const { 'vcpu.0.wait': _, ...without } = domain.stats;
      server.domains.set(uuid, { ...domain, stats: without });
    }

    const first = await inspector.stats(list, signal);
    server.forgetCalls();
    const second = await inspector.stats(list, signal);

    for (const stats of [first, second])
      expect([...stats.values()].every(({ cpuTime }) => cpuTime !== undefined)).toBe(true);
    const named = server.calls.flatMap(({ domains }) => domains);
    expect(named).toHaveLength(30);
    expect(server.calls.every(({ groups }) => groups === procedures.STATS_GROUPS)).toBe(true);
  });

  it('of thousands of domains come in lists that stay small', async () => {
    const { server, inspector, list } = await loaded(1_001);

    const stats = await inspector.stats(list, signal);

    expect(stats.size).toBe(1_001);
    expect(Math.max(...server.calls.map(({ domains }) => domains.length))).toBeLessThanOrEqual(50);
  });

  it('of no domain make no call, as libvirt would answer for all', async () => {
    const { server, inspector } = await loaded(3);

    expect((await inspector.stats([], signal)).size).toBe(0);
    expect(server.calls).toEqual([]);
  });

  it('leave out a domain that vanished after it was listed, which is then looked for', async () => {
    const { server, inspector, log, list } = await loaded(4);
    const gone = fakeDomain(2).uuid;
    server.domains.delete(gone);

    const stats = await inspector.stats(list, signal);
    const later = await inspector.domains(signal);

    expect([...stats.keys()].sort()).toEqual(
      list
        .map(({ uuid }) => uuid)
        .filter((uuid) => uuid !== gone)
        .sort(),
    );
    expect(later.map(({ uuid }) => uuid)).not.toContain(gone);
    expect(warnings(log)).toEqual([]);
  });

  it('of a domain with another id than it had make its XML be read again', async () => {
    const { server, inspector, list } = await loaded(1);
    const restarted = fakeDomain(1, { id: 77 });
    server.domains.set(restarted.uuid, restarted);

    await inspector.stats(list, signal);

    expect((await inspector.domains(signal))[0]?.id).toBe(77);
  });

  it('are kept for the others when libvirt refuses one domain', async () => {
    const { server, inspector, log, list } = await loaded(9);
    const bad = fakeDomain(5);
    spoil(server, procedures.allDomainStats, bad.uuid, { kind: 'error', number: 1, message: 'internal error: no' });

    const [first, second] = [await inspector.stats(list, signal), await inspector.stats(list, signal)];

    expect(first.size).toBe(8);
    expect(second.has(bad.uuid)).toBe(false);
    expect(warnings(log).map(({ fields }) => fields)).toEqual([
      expect.objectContaining({ domain: bad.uuid, name: bad.name, part: 'statistics' }),
    ]);
  });

  it('are kept for the others when the record of one domain is garbled', async () => {
    const { server, inspector, log, list } = await loaded(9);
    const bad = fakeDomain(5);
    server.react((call) => {
      if (call.procedure !== procedures.allDomainStats.number) return undefined;
      const payload = statsPayload(call.domains.map((ref) => server.domains.get(ref.uuid) ?? bad));
      const at = payload.indexOf(Buffer.from(bad.uuid.replaceAll('-', ''), 'hex'));
      // The first parameter's type, behind the domain's id, the number of parameters and the name `state.state`.
      if (at >= 0) payload.writeInt32BE(25, at + 16 + 4 + 4 + 4 + 12);
      return { kind: 'payload', payload };
    });

    const stats = await inspector.stats(list, signal);

    expect(list.map(({ uuid }) => uuid).filter((uuid) => !stats.has(uuid))).toEqual([bad.uuid]);
    expect(log.fields('libvirt does not tell about a domain')[0]).toMatchObject({ domain: bad.uuid });
  });

  it('that the driver does not have at all are a permanent error that names the domains', async () => {
    const { server, inspector, list } = await loaded(2);
    const unsupported: Reaction = {
      kind: 'error',
      number: 3,
      message: 'this function is not supported by the connection driver',
    };
    server.react((call) => (call.procedure === procedures.allDomainStats.number ? unsupported : undefined));

    const error = await inspector.stats(list, signal).catch((caught: unknown) => caught);

    expect(codeOf(error)).toBe('ERR_POLL_PERMANENT');
    expect(error).toHaveProperty('resourceIds', [expect.any(String)]);
  });

  it('reject with the reason of the signal, and the next ones are read', async () => {
    const { server, inspector, list } = await loaded(2);
    server.react((call) => (call.procedure === procedures.allDomainStats.number ? { kind: 'silence' } : undefined));
    const controller = new AbortController();

    const first = inspector.stats(list, controller.signal);
    await eventually(() => server.count(procedures.allDomainStats)).toBe(2);
    controller.abort(new Error('cycle over'));
    await expect(first).rejects.toThrow('cycle over');
    server.react(() => undefined);

    expect((await inspector.stats(list, signal)).size).toBe(2);
  });
});

describe('a domain that migrates to this host', () => {
  const [STARTED, SUSPENDED, RESUMED, STOPPED] = [2, 3, 4, 5];

  it.each([
    ['goes on', RESUMED, 1],
    ['turns out to be paused', SUSPENDED, 0],
  ])('is listed once it %s here', async (_what, event, detail) => {
    const { server, inspector } = await loaded(2);
    const arriving = fakeDomain(3);
    const listed = async () => names(await inspector.domains(signal));
    server.domains.set(arriving.uuid, arriving);

    server.emit('lifecycle', arriving, STARTED, 1);
    await server.ping();
    const before = await listed();
    server.emit('lifecycle', arriving, event, detail);

    await eventually(listed).toContain(arriving.name);
    expect(before).toEqual(['instance-00000001', 'instance-00000002']);
  });

  it('is listed when it comes again after it had failed to, and started here', async () => {
    const { server, inspector } = await loaded(1);
    const arriving = fakeDomain(3);
    server.domains.set(arriving.uuid, arriving);
    server.emit('lifecycle', arriving, STARTED, 1);
    server.emit('lifecycle', arriving, STOPPED, 5);

    server.emit('lifecycle', arriving, STARTED, 0);

    await eventually(async () => names(await inspector.domains(signal))).toContain(arriving.name);
  });

  it('is listed after a new connection, for nobody knows what has become of it', async () => {
    const { server, inspector } = await loaded(1);
    const arriving = fakeDomain(3);
    const listed = async () => names(await inspector.domains(signal));
    server.domains.set(arriving.uuid, arriving);
    server.emit('lifecycle', arriving, STARTED, 1);
    await server.ping();
    const before = await listed();

    server.drop();

    await eventually(listed).toContain(arriving.name);
    expect(before).not.toContain(arriving.name);
  });
});

describe('a domain that does not answer', () => {
  it('costs one deadline and only its own values, and is named once', async () => {
    const { server, inspector, log, list } = await loaded(12, { callTimeout: 1000 });
    const bad = fakeDomain(4);
    stick(server, bad.uuid);

    const first = await inspector.stats(list, signal);
    server.forgetCalls();
    const second = await inspector.stats(list, signal);

    expect([first.size, second.size]).toEqual([12, 12]);
    expect(second.get(bad.uuid)).toMatchObject({ cpuTime: 5n, disks: [{ name: 'vda' }], balloon: {} });
    // The second time nobody waits for it.
    expect(
      server.calls.filter(({ flags }) => flags === 0).flatMap(({ domains }) => domains.map(({ uuid }) => uuid)),
    ).not.toContain(bad.uuid);
    expect(warnings(log)).toEqual([
      {
        level: 'warn',
        message: 'domain does not answer, its disk and memory statistics are missing until it does',
        fields: { domain: bad.uuid, name: bad.name },
      },
    ]);
  });

  it('is told of last, once, with what libvirt knows without asking it', async () => {
    const { server, inspector, list } = await loaded(12, { callTimeout: 1000 });
    const bad = fakeDomain(4).uuid;
    stick(server, bad);
    const told: [string, bigint | undefined][] = [];

    await inspector.stats(list, signal, (some) => {
      for (const [uuid, { balloon }] of some) told.push([uuid, balloon['rss']]);
    });

    expect(told).toHaveLength(12);
    expect(told.at(-1)).toEqual([bad, undefined]);
    expect(told.filter(([, rss]) => rss === undefined)).toHaveLength(1);
  });

  it('is taken back when it answers', async () => {
    const { server, inspector, log, list } = await loaded(4, { callTimeout: 1000 });
    const bad = fakeDomain(4);
    stick(server, bad.uuid);
    await inspector.stats(list, signal);

    server.react(() => undefined);
    server.answerSilenced();
    const stats = await inspector.stats(list, signal);
    server.forgetCalls();
    await inspector.stats(list, signal);

    expect(stats.get(bad.uuid)?.balloon).toMatchObject({ rss: 45_000n });
    expect(log.told).toContain('info domain answers again');
    expect(server.calls.every(({ flags }) => flags === 0)).toBe(true);
  });

  it('costs the others nothing when there are three of them in one list', async () => {
    const { server, inspector, list } = await loaded(20, { callTimeout: 1000, parallelCalls: 2 });
    const bad = [fakeDomain(3), fakeDomain(4), fakeDomain(5)].map(({ uuid }) => uuid);
    stick(server, ...bad);

    const stats = await inspector.stats(list, signal);

    expect(stats.size).toBe(20);
    expect(
      list
        .filter(({ uuid }) => stats.get(uuid)?.balloon['rss'] === undefined)
        .map(({ uuid }) => uuid)
        .sort(),
    ).toEqual(bad);
  });

  it('does not have the others wait for CPU times, for which libvirtd takes long the first time', async () => {
    const { server, inspector, log, list } = await loaded(12, { callTimeout: 1000 });
    const bad = fakeDomain(4).uuid;
    server.react((call) => {
      const waits = call.flags === 0 && call.domains.some(({ uuid }) => uuid === bad);
      return waits || call.groups === procedures.STATS_GROUPS ? { kind: 'silence' } : undefined;
    });

    const stats = await inspector.stats(list, signal);

    expect([...stats.values()].filter(({ balloon }) => balloon['rss'] !== undefined)).toHaveLength(12);
    expect(warnings(log)).toEqual([]);
  });

  it('is not blamed when the daemon as a whole does not answer', async () => {
    const { server, inspector, log, list } = await loaded(8, { callTimeout: 100 });
    server.react(() => ({ kind: 'silence' }));

    const error = await inspector.stats(list, signal).catch((caught: unknown) => caught);

    expect(codeOf(error)).toBe('ERR_SERVICE');
    expect(log.told).not.toContain(
      'warn domain does not answer, its disk and memory statistics are missing until it does',
    );
  });

  it('keeps the connection with its call until that is answered, while the others are asked on another', async () => {
    const { server, inspector, list } = await loaded(8, { callTimeout: 1000 });
    const bad = fakeDomain(4).uuid;
    await inspector.stats(list, signal);
    const usual = server.connections;
    stick(server, bad);

    const stats = [await inspector.stats(list, signal), await inspector.stats(list, signal)];
    const during = server.connections;
    server.react(() => undefined);
    server.answerSilenced();

    expect(stats.map(({ size }) => size)).toEqual([8, 8]);
    expect(inspector.connections).toBe(1);
    expect(during).toBeGreaterThan(usual);
    await eventually(async () => (await inspector.stats(list, signal)).get(bad)?.balloon['rss']).toBe(45_000n);
    await eventually(() => server.connections).toBeLessThan(during);
  });

  it('is not waited for when there are more of them than libvirtd has threads: no more than some calls hang', async () => {
    const { server, inspector, log, list } = await loaded(100, { callTimeout: 1_000 });
    const { hang, hung } = hangLikeQemu(server);
    for (const { uuid } of list.slice(0, 40)) hang(uuid);

    const rounds = [];
    for (let round = 0; round < 4; round++) rounds.push(await inspector.stats(list, signal));

    expect(rounds.map(({ size }) => size)).toEqual([100, 100, 100, 100]);
    expect(hung()).toBeLessThanOrEqual(14);
    expect(rounds.at(-1)?.get(list[0]?.uuid ?? '')).toMatchObject({ state: 1 });
    expect(log.fields(TOO_MANY)).toHaveLength(1);
    expect(warnings(log).length).toBeLessThanOrEqual(15);
  });

  it.each([
    [1, 50],
    [3, 50],
    [40, 100],
  ])(
    'is waited for once: after that %i of %i cost the others no time, and none of their values',
    async (some, all) => {
      // The shortest of the waits in question is half a second then, far more than a cycle takes.
      const callTimeout = 10_000;
      const { server, inspector, list } = await loaded(all, { callTimeout });
      const { hang, hung } = hangLikeQemu(server);
      const stuck = new Set(list.slice(5, 5 + some).map(({ uuid }) => uuid));
      for (const uuid of stuck) hang(uuid);
      const readInFull = async () => {
        const said = await inspector.stats(list, signal);
        return list.filter(({ uuid }) => said.get(uuid)?.balloon['rss'] !== undefined).map(({ uuid }) => uuid);
      };
      const others = list.map(({ uuid }) => uuid).filter((uuid) => !stuck.has(uuid));

      const first = await readInFull();
      const later = [];
      for (let round = 0; round < 40; round++) {
        const started = performance.now();
        const full = await readInFull();
        later.push({ full, waited: performance.now() - started > new Pace(callTimeout).single.patience });
      }

      expect(first).toEqual(others);
      for (const one of later) expect(one).toEqual({ full: others, waited: false });
      expect(hung()).toBeLessThanOrEqual(14);
    },
    120_000,
  );

  it('has the others asked in full again as soon as there are fewer of them', async () => {
    const { server, inspector, log, list } = await loaded(60, { callTimeout: 1000 });
    const { hang, release } = hangLikeQemu(server);
    for (const { uuid } of list.slice(0, 30)) hang(uuid);
    await inspector.stats(list, signal);

    release();
    const told = async () =>
      [...(await inspector.stats(list, signal)).values()].filter(({ balloon }) => balloon['rss'] !== undefined).length;

    await eventually(told).toBe(60);
    expect(log.told).toContain('info all domains are asked for disk and memory statistics again');
  });
});

describe('the size of images', () => {
  it('is asked for each disk', async () => {
    const { server, inspector, list } = await loaded(3);
    const disks = list.flatMap((domain) => ['vda', 'vdb'].map((device) => ({ domain, device })));

    const sizes = await inspector.blockInfo(disks, signal);

    expect(disks.map((disk) => sizes.get(disk))).toEqual(Array(6).fill({ allocation: 1n, capacity: 2n, physical: 3n }));
    expect(server.count(procedures.blockInfo)).toBe(6);
  });

  it('is missing for a disk that libvirt refuses, which is named once, and for one that went away, which is not', async () => {
    const { server, inspector, log, list } = await loaded(3);
    const refused: Reaction = { kind: 'error', number: 38, message: 'cannot open file: No such file' };
    const stopped: Reaction = { kind: 'error', number: 55, message: 'domain is not running' };
    server.react(({ domains: [domain] }) =>
      domain?.uuid === fakeDomain(1).uuid ? refused : domain?.uuid === fakeDomain(2).uuid ? stopped : undefined,
    );
    const disks = list.map((domain) => ({ domain, device: 'vda' }));

    const sizes = [await inspector.blockInfo(disks, signal), await inspector.blockInfo(disks, signal)];

    expect(sizes.map((map) => [...map.keys()].map(({ domain }) => domain.name))).toEqual(
      Array(2).fill(['instance-00000003']),
    );
    expect(warnings(log).map(({ fields }) => fields)).toEqual([
      expect.objectContaining({ name: 'instance-00000001', part: 'vda' }),
    ]);
  });

  it('is not asked of a domain that does not answer', async () => {
    const { server, inspector, list } = await loaded(2, { callTimeout: 1000 });
    const bad = fakeDomain(1).uuid;
    stick(server, bad);
    const disks = list.flatMap((domain) =>
      ['vda', 'vdb', 'vdc', 'vdd', 'vde', 'vdf'].map((device) => ({ domain, device })),
    );

    const first = await inspector.blockInfo(disks, signal);
    server.forgetCalls();
    const second = await inspector.blockInfo(disks, signal);

    expect([first.size, second.size]).toEqual([6, 6]);
    expect(server.calls.flatMap(({ domains }) => domains.map(({ uuid }) => uuid))).not.toContain(bad);
  });
});

describe('the connection of an inspector', () => {
  it('is made by the first call, not before', async () => {
    const server = await serve({ domains: [fakeDomain(1)] });
    const { inspector } = inspect(server.uri);

    expect(inspector.status).toEqual({ state: 'idle', uri: server.uri });
    expect(server.calls).toEqual([]);
    await inspector.domains(signal);
    expect(inspector.status).toEqual({ state: 'connected', uri: server.uri, version: '9.0.0' });
  });

  it('that cannot be made is tried once for all who ask, then again after a moment, and told once', async () => {
    const first = await startFakeLibvirtd();
    await first.close();
    const { inspector, log } = inspect(first.uri);

    const failures = await Promise.all(
      Array.from({ length: 36 }, () => inspector.domains(signal).catch((error: unknown) => error)),
    );
    const again = await inspector.domains(signal).catch((error: unknown) => error);
    const status = inspector.status;
    const triedAnew = async () => (await inspector.domains(signal).catch((error: unknown) => error)) !== again;
    await eventually(triedAnew).toBe(true);

    expect(new Set([...failures, again]).size).toBe(1);
    expect(codeOf(again)).toBe('ERR_SERVICE');
    expect(describeError(again)).toBe(`there is no libvirt socket at ${first.socket}`);
    expect(log.lines).toEqual([
      {
        level: 'error',
        message: 'libvirt is not there, trying again with each poll',
        fields: { uri: first.uri, err: again },
      },
    ]);
    expect(status).toMatchObject({ state: 'down', error: again });
  });

  it('that cannot be made for another reason than before is told again', async () => {
    const first = await startFakeLibvirtd();
    await first.close();
    const { inspector, log } = inspect(first.uri);
    const attempt = () => inspector.domains(signal).catch(describeError);
    await attempt();

    const folder = dirname(first.socket);
    await mkdir(folder, { recursive: true });
    closers.push(() => rm(folder, { recursive: true }));
    await writeFile(first.socket, 'no socket');
    await eventually(attempt).toBe(`nothing listens on the libvirt socket ${first.socket}`);

    expect(log.fields('libvirt is not there, trying again with each poll')).toMatchObject([
      { err: { message: `there is no libvirt socket at ${first.socket}` } },
      { err: { message: `nothing listens on the libvirt socket ${first.socket}` } },
    ]);
  });

  it('that broke is made again by the next call; the domains are then read again but keep their objects', async () => {
    const { server, inspector, log, list } = await loaded(2);

    server.drop();
    await eventually(() => inspector.status.state).toBe('down');
    const again = await inspector.domains(signal);

    expect(inspector.connections).toBe(2);
    expect(server.count(procedures.listAllDomains)).toBe(1);
    expect(server.count(procedures.registerDomainEvent)).toBeGreaterThan(1);
    expect(again.every((domain) => list.includes(domain))).toBe(true);
    expect(log.told).toEqual([
      'info connected to libvirt',
      'warn lost the connection to libvirt',
      'info connected to libvirt',
    ]);
  });

  it('is left when the daemon lost its hypervisor driver, and made again', async () => {
    const { server, inspector } = await loaded(1);

    server.loseDriver();
    await eventually(() => inspector.status).toMatchObject({
      state: 'down',
      error: { message: `libvirt at ${server.uri} lost its hypervisor driver` },
    });

    expect(await inspector.domains(signal)).toHaveLength(1);
    expect(inspector.connections).toBe(2);
  });

  it('that breaks during a call is made again, and the call as well', async () => {
    const { server, inspector, list } = await loaded(8);
    let broken = false;
    server.react((call) => {
      if (broken || call.procedure !== procedures.allDomainStats.number) return undefined;
      broken = true;
      return { kind: 'hang-up' };
    });

    const stats = await inspector.stats(list, signal);

    expect(stats.size).toBe(8);
    expect(broken).toBe(true);
  });

  it.each([
    ['answers garbage', { kind: 'bytes', bytes: Buffer.from('not RPC at all') }],
    ['closes after half a message', { kind: 'half' }],
    ['closes at once', { kind: 'hang-up' }],
  ] satisfies [string, Reaction][])(
    'to a server that %s gives an error, one log line, and no crash',
    async (_title, reaction) => {
      const server = await serve({});
      server.react(() => reaction);
      const { inspector, log } = inspect(server.uri);

      const error = await inspector.domains(signal).catch((caught: unknown) => caught);

      expect(codeOf(error)).toBe('ERR_SERVICE');
      expect(log.told).toHaveLength(1);
    },
  );

  it('to a server that never answers is given up at the deadline', async () => {
    const server = await serve({});
    server.react(() => ({ kind: 'silence' }));
    const { inspector } = inspect(server.uri, { callTimeout: 100 });

    const error = await inspector.domains(signal).catch((caught: unknown) => caught);

    expect(codeOf(error)).toBe('ERR_SERVICE');
    await eventually(() => server.connections).toBe(0);
  });
});

describe('closing an inspector', () => {
  it('ends its connection and refuses further calls', async () => {
    const { server, inspector } = await loaded(1);

    await Promise.all([inspector.close(), inspector.close()]);

    await eventually(() => server.connections).toBe(0);
    await expect(inspector.domains(signal)).rejects.toMatchObject({ code: 'ERR_SERVICE' });
    expect(inspector.status.state).toBe('closed');
  });

  it('while it connects leaves no connection', async () => {
    const server = await serve({});
    server.react(() => ({ kind: 'silence' }));
    const { inspector }: { inspector: LibvirtInspector } = inspect(server.uri);
    const domains = inspector.domains(signal).catch((error: unknown) => error);
    await eventually(() => server.connections).toBe(1);

    await inspector.close();

    expect(codeOf(await domains)).toBe('ERR_SERVICE');
    await eventually(() => server.connections).toBe(0);
  });
});
