import { afterEach, describe, expect, it } from 'vitest';
import { createInspector } from '../../src/libvirt/create-inspector.ts';
import { LIFECYCLE_EVENT } from '../../src/libvirt/events.ts';
import type { DomainEdge } from '../../src/libvirt/inspector.ts';
import * as procedures from '../../src/libvirt/procedures.ts';
import { type FakeLibvirtd, fakeDomain, startFakeLibvirtd } from '../../src/testing/fake-libvirtd.ts';
import type { FakeDomain } from '../../src/testing/fake-libvirtd-wire.ts';
import { recordingLog } from '../helpers/recording-log.ts';
import { until } from '../helpers/until.ts';

const { STARTED, SUSPENDED, RESUMED, STOPPED, SHUTDOWN } = LIFECYCLE_EVENT;
const closers: (() => Promise<void> | void)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

/** A server with a running domain, and an inspector that watches it. */
async function watching() {
  const domain = fakeDomain(1);
  const server = await startFakeLibvirtd({ domains: [domain] });
  closers.push(() => server.close());
  const log = recordingLog();
  const inspector = createInspector({ uri: server.uri, log, callTimeout: 1000 });
  closers.push(() => inspector.close());
  const stop = new AbortController();
  closers.push(() => stop.abort());
  const edges: DomainEdge[] = [];
  inspector.watch?.((edge) => edges.push(edge), stop.signal);
  await until('it is connected', () => log.told.includes('info connected to libvirt'));
  server.forgetCalls();
  const kinds = () => edges.map(({ kind }) => kind);
  const tell = (event: number, detail = 0, about: FakeDomain = domain) =>
    server.emit('lifecycle', about, event, detail);
  return { domain, server, inspector, log, edges, kinds, tell, stop };
}

/** libvirt has done all that it was asked, and the answers are here: of calls that follow from answers, too. */
async function quiet(server: FakeLibvirtd): Promise<void> {
  for (let calls = 0; calls < 5; calls++) {
    await server.ping();
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** What libvirt says of a domain that is shutting down. */
function shuttingDown(domain: FakeDomain, changes: FakeDomain['stats'] = {}): FakeDomain {
  return { ...domain, stats: { ...domain.stats, 'state.state': 4, ...changes } };
}

describe('a domain that starts', () => {
  it('is read at once, with its XML', async () => {
    const { domain, edges, server, tell } = await watching();

    tell(STARTED);
    await until('the edge', () => edges.length === 1);

    const { uuid, name, id, xml } = domain;
    expect(edges[0]).toMatchObject({
      kind: 'start',
      domain: { uuid, name, id, xml },
      stats: { cpuTime: 1_000_000_001n },
    });
    expect([server.count(procedures.domainXml), server.count(procedures.allDomainStats)]).toEqual([1, 1]);
  });

  it('on its way from another host is read when it goes on here', async () => {
    const { edges, server, tell } = await watching();

    tell(STARTED, 1);
    await quiet(server);
    const before = edges.length;
    tell(RESUMED, 1);
    await until('the edge', () => edges.length === 1);

    expect(before).toBe(0);
  });

  it('and is gone before it can be read is told', async () => {
    const { edges, log, server, tell } = await watching();
    server.domains.clear();

    tell(STARTED);
    await until('a line', () => log.told.length === 2);

    expect(edges).toEqual([]);
    expect(log.told[1]).toBe('info domain could not be read at its start');
  });
});

describe('a domain that ends', () => {
  it('is told at its end, with what was read when it was shutting down', async () => {
    const { domain, edges, server, tell } = await watching();
    server.domains.set(domain.uuid, shuttingDown(domain, { 'cpu.time': 2n ** 60n + 1n }));

    tell(SHUTDOWN, 1);
    await quiet(server);
    const before = edges.length;
    server.domains.clear();
    tell(STOPPED);
    await until('the edge', () => edges.length === 1);

    expect(before).toBe(0);
    expect(edges[0]).toMatchObject({
      kind: 'end',
      domain: { id: domain.id },
      stats: { cpuTime: 2n ** 60n + 1n, state: 4 },
    });
  });

  it('is asked for what needs no waiting, and not for XML that is known', async () => {
    const { inspector, server, stop, tell } = await watching();
    await inspector.domains(stop.signal);
    server.forgetCalls();

    tell(SHUTDOWN, 1);
    await quiet(server);

    const nowait = [procedures.allDomainStats.number, procedures.STATS_NOWAIT];
    expect(server.calls.map(({ procedure, flags }) => [procedure, flags])).toEqual([nowait, nowait]);
  });

  it('is told with the first answer, for libvirt has the other one wait for a QEMU that is gone', async () => {
    const { domain, edges, server, tell } = await watching();
    server.domains.set(domain.uuid, shuttingDown(domain));
    let asked = 0;
    server.react(({ procedure }) => {
      if (procedure !== procedures.allDomainStats.number) return undefined;
      asked += 1;
      return asked === 1 ? { kind: 'silence' } : undefined;
    });

    tell(SHUTDOWN, 1);
    tell(STOPPED);
    await until('the edge', () => edges.length === 1);
    server.answerSilenced();
    await quiet(server);

    expect(edges).toHaveLength(1);
  });

  it('after a pause, or by a migration to another host, is told with what was read at the pause', async () => {
    const { domain, kinds, server, tell } = await watching();

    tell(SUSPENDED, 1);
    await quiet(server);
    server.domains.clear();
    tell(STOPPED, 3, { ...domain, id: -1 });
    await until('the edge', () => kinds().length === 1);

    expect(kinds()).toEqual(['end']);
  });

  it('is told with what was read at the pause when nothing could be read later', async () => {
    const { kinds, server, tell } = await watching();
    tell(SUSPENDED);
    await quiet(server);
    server.domains.clear();

    tell(SHUTDOWN, 2);
    tell(STOPPED);
    await until('the edge', () => kinds().length === 1);

    expect(kinds()).toEqual(['end']);
  });

  it('without a word before, or too fast to be read, is told in the log', async () => {
    const { kinds, log, server, tell } = await watching();
    tell(STOPPED, 5);
    server.domains.clear();
    tell(SHUTDOWN, 2);
    tell(STOPPED, 1);
    await until('two lines', () => log.told.length === 3);

    expect(kinds()).toEqual([]);
    expect(log.told.slice(1)).toEqual(Array(2).fill('info domain ended before it could be read'));
  });

  it('has no CPU time when its threads were gone, for libvirt tells 0 then', async () => {
    const { domain, edges, server, tell } = await watching();
    server.domains.set(domain.uuid, shuttingDown(domain, { 'vcpu.0.time': 0n }));

    tell(SHUTDOWN, 1);
    await quiet(server);
    tell(STOPPED);
    await until('the edge', () => edges.length === 1);

    expect(edges[0]?.stats).toMatchObject({ state: 4, vcpus: [], nics: [{ rxBytes: 90n }] });
    expect(edges[0]?.stats).not.toHaveProperty('cpuTime');
  });

  it('with the id of another life is not what was read', async () => {
    const { domain, kinds, log, server, tell } = await watching();
    server.domains.set(domain.uuid, { ...domain, id: 99 });

    tell(SHUTDOWN, 1);
    await quiet(server);
    tell(STOPPED);
    await until('a line', () => log.told.length === 2);

    expect(kinds()).toEqual([]);
  });
});

describe('a domain that has started lately', () => {
  async function started() {
    const parts = await watching();
    const { domain, edges, server, tell } = parts;
    tell(STARTED);
    await until('the start', () => edges.length === 1);
    server.domains.set(domain.uuid, { ...domain, stats: { ...domain.stats, 'vcpu.0.time': 77n } });
    await until('another reading', () => server.count(procedures.allDomainStats) === 2);
    await quiet(server);
    return parts;
  }

  it('leaves its last reading when it ends without a word', async () => {
    const { domain, edges, log, server, tell } = await started();
    server.domains.clear();

    tell(SHUTDOWN, 2);
    tell(STOPPED, 1, { ...domain, id: -1 });
    await until('the edge', () => edges.length === 2);

    expect(edges[1]).toMatchObject({
      kind: 'last',
      domain: { id: domain.id },
      stats: { vcpus: [{ time: 77n }], state: 1 },
    });
    expect(edges[1]?.stats.monotonicTime).toBeGreaterThan(edges[0]?.stats.monotonicTime ?? Number.NaN);
    expect(log.fields('domain ended before all of it could be read, its last reading counts')).toEqual([
      { domain: domain.uuid, name: domain.name, seconds: expect.any(Number) },
    ]);
  });

  it('leaves its last reading beside what could be read at its end, where that is not all', async () => {
    const { domain, edges, kinds, server, tell } = await started();
    server.domains.set(domain.uuid, {
      ...domain,
      stats: { 'state.state': 4, 'cpu.time': 99n, 'vcpu.current': 1, 'vcpu.maximum': 1 },
    });

    tell(SHUTDOWN, 1);
    tell(STOPPED);
    await until('both edges', () => edges.length === 3);

    expect(kinds()).toEqual(['start', 'last', 'end']);
    expect(edges.map(({ stats }) => stats.vcpus[0]?.time)).toEqual([900_000_000n, 77n, undefined]);
    expect(edges[2]?.stats.cpuTime).toBe(99n);
  });

  it('has no other end than its own, where that told all', async () => {
    const { domain, edges, kinds, server, tell } = await started();

    tell(SUSPENDED, 1);
    await quiet(server);
    tell(STOPPED, 3, { ...domain, id: -1 });
    await until('the edge', () => edges.length === 2);
    await quiet(server);

    expect(kinds()).toEqual(['start', 'end']);
  });

  it('needs no reading of ours after one that somebody else has made', async () => {
    const { edges, inspector, server, stop, tell } = await started();
    const domains = await inspector.domains(stop.signal);
    const [domain] = domains;

    const said = await inspector.stats(domains, stop.signal);
    server.domains.clear();
    tell(STOPPED);
    await until('the edge', () => edges.length === 2);

    expect(edges[1]?.stats).toBe(said.get(domain?.uuid ?? ''));
  });
});

describe('a domain that goes on', () => {
  it('after a pause is no edge, and its next end is read anew', async () => {
    const { domain, edges, server, tell } = await watching();
    tell(SUSPENDED);
    tell(RESUMED);
    await quiet(server);
    server.domains.set(domain.uuid, shuttingDown(domain, { 'cpu.time': 7n }));

    tell(SHUTDOWN, 1);
    await quiet(server);
    tell(STOPPED);
    await until('the edge', () => edges.length === 1);

    expect(edges[0]?.stats.cpuTime).toBe(7n);
  });
});

describe('watching', () => {
  it('connects again by itself, and does not trust what was read before', async () => {
    const { kinds, log, server, tell } = await watching();
    tell(SUSPENDED);
    await quiet(server);

    server.drop();
    await until(
      'it is connected again',
      () => log.told.filter((line) => line.endsWith('connected to libvirt')).length === 2,
    );
    tell(STOPPED);
    await until('a line', () => log.told.at(-1) === 'info domain ended before it could be read');
    tell(STARTED);
    await until('the edge', () => kinds().length === 1);

    expect(kinds()).toEqual(['start']);
  });

  it('ends with its signal', async () => {
    const { kinds, server, stop, tell } = await watching();

    stop.abort();
    tell(STARTED);
    await quiet(server);

    expect(kinds()).toEqual([]);
    expect(server.calls).toEqual([]);
  });
});
