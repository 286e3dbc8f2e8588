import { afterEach, describe, expect, it } from 'vitest';
import { ServiceError } from '../../src/errors.ts';
import type { Domain, DomainStats } from '../../src/libvirt/inspector.ts';
import { LastReadings, type Reading } from '../../src/libvirt/last-readings.ts';
import { FakeClock } from '../helpers/fake-clock.ts';
import { recordingLog } from '../helpers/recording-log.ts';

const stops: AbortController[] = [];

afterEach(() => {
  for (const stop of stops.splice(0)) stop.abort();
});

const domainOf = (uuid: string): Domain => ({ uuid, name: uuid, id: 1, xml: '' });

/** What was read at some second. */
function statsAt(seconds: number, changes: Partial<DomainStats> = {}): DomainStats {
  return {
    state: 1,
    vcpus: [],
    balloon: { rss: 1n },
    nics: [],
    disks: [],
    perf: {},
    monotonicTime: seconds,
    ...changes,
  };
}

/** Readings on a clock that stands still, of domains that answer with the time, in so many milliseconds. */
function followed({ takes = 0 } = {}) {
  const clock = new FakeClock(0);
  const stop = new AbortController();
  stops.push(stop);
  const calls: { readonly at: number; readonly uuids: readonly string[] }[] = [];
  const vanished: Reading[] = [];
  let failing = false;
  const fail = (now: boolean) => {
    failing = now;
  };
  const answers = new Map<string, DomainStats | undefined>();
  const seconds = () => clock.monotonic() / 1000;
  const readings = new LastReadings({
    async read(domains, signal) {
      calls.push({ at: seconds(), uuids: domains.map(({ uuid }) => uuid) });
      await clock.sleep(takes, signal);
      if (failing) throw new ServiceError('not now');
      return new Map(
        domains.flatMap(({ uuid }) => {
          const stats = answers.has(uuid) ? answers.get(uuid) : statsAt(seconds());
          return stats === undefined ? [] : [[uuid, stats]];
        }),
      );
    },
    vanished: (reading) => vanished.push(reading),
    log: recordingLog(),
    signal: stop.signal,
    clock,
  });
  const start = (uuid: string) => readings.follow(domainOf(uuid), statsAt(seconds()));
  return { answers, calls, clock, fail, readings, start, stop, vanished };
}

describe('a domain that has started', () => {
  it('at any time was read within the last eighth of its life, or within a second', async () => {
    const { calls, clock, start } = followed();

    start('a');
    await clock.pass(600_000);

    const gaps = calls.slice(1).map(({ at }, index) => ({ at, gap: at - (calls[index]?.at ?? 0) }));
    expect(gaps.filter(({ at, gap }) => gap > Math.max(1, Math.min(60, at / 8)) + 0.001)).toEqual([]);
    expect(calls.length).toBeLessThan(60);
  });

  it('leaves nothing that was not read after its start', async () => {
    const { clock, readings, start } = followed();

    start('a');
    await clock.pass(500);

    expect(readings.take(domainOf('a'))).toBeUndefined();
  });

  it('is read once a minute in the end', async () => {
    const { calls, clock, start } = followed();

    start('a');
    await clock.pass(3_600_000);
    const count = calls.length;
    await clock.pass(600_000);

    expect(calls.length).toBe(count + 10);
  });

  it('leaves its last whole reading', async () => {
    const { answers, clock, readings, start } = followed();

    start('a');
    await clock.pass(4_500);
    for (const broken of [{ balloon: {} }, { state: 4 }, { state: 5 }, { balloon: { rss: 0n } }]) {
      answers.set('a', statsAt(99, broken));
      readings.note([domainOf('a')], new Map([['a', statsAt(99, broken)]]));
    }
    await clock.pass(1_500);

    expect(readings.take(domainOf('a'))?.stats.monotonicTime).toBe(4);
    expect(readings.take(domainOf('a'))).toBeUndefined();
  });

  it('is not read again so soon after somebody else has read it', async () => {
    const { calls, clock, readings, start } = followed();
    start('a');
    await clock.pass(60_000);
    const before = calls.length;
    const other = statsAt(60);

    readings.note([domainOf('a')], new Map([['a', other]]));
    await clock.pass(7_000);

    expect(calls.length).toBe(before);
    expect(readings.take(domainOf('a'))?.stats).toBe(other);
  });

  it('is not taken for its next life', async () => {
    const { clock, readings, start } = followed();
    start('a');
    await clock.pass(2_000);

    readings.note([{ ...domainOf('a'), id: 2 }], new Map([['a', statsAt(77)]]));

    expect(readings.take(domainOf('a'))?.stats.monotonicTime).toBe(2);
  });

  it('and is gone without a word is told, once', async () => {
    const { answers, clock, start, vanished } = followed();
    start('a');
    start('b');
    await clock.pass(3_100);

    answers.set('a', undefined);
    answers.set('b', statsAt(50, { state: 5 }));
    await clock.pass(30_000);

    expect(vanished.map(({ domain, stats }) => [domain.uuid, stats.monotonicTime])).toEqual([
      ['a', 3],
      ['b', 3],
    ]);
  });
});

describe('a domain that nobody saw start', () => {
  const cycle = (readings: LastReadings, seconds: number, uuid = 'a') => {
    const stats = statsAt(seconds);
    readings.note([domainOf(uuid)], new Map([[uuid, stats]]));
    return stats;
  };

  it('is read once a minute from its first cycle on', async () => {
    const { calls, clock, readings } = followed();

    cycle(readings, 0);
    await clock.pass(300_000);

    expect(calls.map(({ at }) => at)).toEqual([60, 120, 180, 240, 300]);
    expect(readings.take(domainOf('a'))?.stats.monotonicTime).toBe(300);
  });

  it('leaves nothing that its cycle has not told already', async () => {
    const { clock, readings } = followed();

    cycle(readings, 0);
    await clock.pass(30_000);

    expect(readings.take(domainOf('a'))).toBeUndefined();
  });

  it('is not read where cycles read it often enough', async () => {
    const { calls, clock, readings } = followed();

    for (let second = 0; second < 300; second += 30) {
      cycle(readings, second);
      await clock.pass(30_000);
    }

    expect(calls).toEqual([]);
  });

  it('is not followed while it is shut off, and no more after it has ended', async () => {
    const { answers, calls, clock, readings } = followed();
    readings.note([domainOf('off')], new Map([['off', statsAt(0, { state: 5 })]]));
    cycle(readings, 0);
    answers.set('a', undefined);

    await clock.pass(600_000);

    expect(calls.map(({ uuids }) => uuids)).toEqual([['a'], ['a']]);
  });

  it('makes room for those that start, beyond a thousand', async () => {
    const { calls, clock, readings, start } = followed();
    for (let index = 0; index < 1_100; index += 1) cycle(readings, 0, `old-${index}`);
    start('new');

    await clock.pass(61_000);

    const read = new Set(calls.flatMap(({ uuids }) => uuids));
    expect(read.size).toBe(1_000);
    expect(read).toContain('new');
    expect(read).not.toContain('old-0');
    expect(read).not.toContain('old-1099');
  });
});

describe('the readings', () => {
  it('of domains that start together are made together', async () => {
    const { calls, clock, start } = followed();

    for (const uuid of ['a', 'b', 'c']) {
      start(uuid);
      await clock.pass(50);
    }
    await clock.pass(10_000);

    expect(calls.every(({ uuids }) => uuids.length === 3)).toBe(true);
  });

  it('take an eighth of the time at most', async () => {
    const { calls, clock, start } = followed({ takes: 2_000 });

    start('a');
    await clock.pass(60_000);

    const gaps = calls.slice(1).map(({ at }, index) => at - (calls[index]?.at ?? 0));
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(16);
  });

  it('take a domain that has started without waiting for that, once', async () => {
    const { calls, clock, start } = followed({ takes: 1_000 });

    start('a');
    await clock.pass(2_500);
    start('b');
    await clock.pass(2_500);
    start('c');
    await clock.pass(22_500);

    expect(calls).toEqual([
      { at: 1, uuids: ['a'] },
      { at: 3.5, uuids: ['b'] },
      { at: 6, uuids: ['c'] },
      { at: 10, uuids: ['a', 'b', 'c'] },
      { at: 19, uuids: ['a', 'b', 'c'] },
    ]);
  });

  it('are not put off again and again by domains that start', async () => {
    const { calls, clock, start } = followed({ takes: 500 });

    start('a');
    for (let index = 0; index < 60; index += 1) {
      await clock.pass(1_000);
      start(`new-${index}`);
    }

    const read = calls.filter(({ uuids }) => uuids.includes('a')).map(({ at }) => at);
    const gaps = read.slice(1).map((at, index) => at - (read[index] ?? 0));
    expect(read.length).toBeGreaterThan(5);
    expect(Math.max(...gaps)).toBeLessThan(10);
  });

  it('go on after libvirt did not answer', async () => {
    const { clock, fail, readings, start } = followed();
    start('a');
    await clock.pass(2_100);
    fail(true);
    await clock.pass(10_000);
    const during = readings.take(domainOf('a'));
    start('a');

    fail(false);
    await clock.pass(2_100);

    expect(during?.stats.monotonicTime).toBe(2);
    expect(readings.take(domainOf('a'))?.stats.monotonicTime).toBeGreaterThan(13);
  });

  it('end with the signal', async () => {
    const { calls, clock, start, stop } = followed();
    start('a');
    await clock.pass(2_000);
    const count = calls.length;

    stop.abort();
    start('b');
    await clock.pass(60_000);

    expect(calls.length).toBe(count);
  });
});
