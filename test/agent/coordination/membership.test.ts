/** What a member does when the backend is slow or does not answer, and in the slot that it leaves in. */
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { CoordinationBackend } from '../../../src/agent/coordination/backend.ts';
import { Membership } from '../../../src/agent/coordination/membership.ts';
import { everything } from '../../../src/agent/coordination/share.ts';
import { createCountBook } from '../../../src/agent/poll-counts.ts';
import { PollingTask } from '../../../src/agent/polling-task.ts';
import { FakeClock, settle } from '../../helpers/fake-clock.ts';
import { recordingLog } from '../../helpers/recording-log.ts';

const LEASE = 60_000;

/** A member whose backend does what it is told. */
function memberOf(changes: Partial<CoordinationBackend>) {
  const clock = new FakeClock(1_800_000_000_000);
  const log = recordingLog();
  const backend: CoordinationBackend = {
    shown: 'fake://',
    lease: LEASE,
    sync: async (groups) => new Map(groups.map((group) => [group, ['me']])),
    leave: async () => {},
    close: async () => {},
    ...changes,
  };
  return { clock, log, membership: new Membership({ backend, member: 'me', clock, log }) };
}

describe('a member', () => {
  it('asks again in a tenth of its lease when it got no answer, and then in a third', async () => {
    let asked = 0;
    const { clock, membership } = memberOf({
      sync: async (groups) => {
        asked += 1;
        if (asked <= 2) throw new Error('no answer');
        return new Map(groups.map((group) => [group, ['me']]));
      },
    });
    // The first beat, and the share.
    await membership.use(['group']).share(1_000);
    const counts = [asked];

    for (const time of [LEASE / 10, LEASE / 10, LEASE / 3 - LEASE / 10]) {
      await clock.pass(time);
      counts.push(asked);
    }
    await membership.close();

    expect(counts).toEqual([2, 3, 3, 4]);
  });

  it('says that it polls what it last knew where the answer takes longer than a cycle waits', async () => {
    const { clock, log, membership } = memberOf({ sync: () => new Promise(() => {}) });

    const share = membership.use(['group']).share(500);
    await clock.pass(500);
    const owns = (await share).owns('group', 'anything');
    await membership.close();

    expect(owns).toBe(true);
    expect(log.told).toEqual(['info coordination backend is slow, polling the last known share']);
  });

  it('gives a slow backend the time to take note that it leaves', async () => {
    const left: string[] = [];
    const { log, membership } = memberOf({
      leave: async (groups) => {
        await sleep(2_500);
        left.push(...groups);
      },
    });
    await membership.use(['group']).share(1_000);

    await membership.leave();
    await membership.close();

    expect(left).toEqual(['group']);
    expect(log.told).toEqual(['info work is shared']);
  });
});

describe('a task that stops', () => {
  it.each([
    ['polls the slot that has begun, which the others may have left to it', true, [0, 1]],
    ['leaves that slot to the next configuration when it is a reload', false, [0]],
  ])('%s', async (_what, left, expected) => {
    const clock = new FakeClock(0);
    const slots: number[] = [];
    const task = new PollingTask([], {
      grid: { interval: 10_000, offset: 0 },
      lanes: 1,
      deadline: 20_000,
      clock,
      participation: {
        async share() {
          // The first cycle goes on into the next slot.
          if (slots.length === 0) await clock.sleep(12_000, new AbortController().signal);
          return everything;
        },
        hasLeft: () => left,
        onDeparture: () => {},
        release: async () => {},
      },
      log: recordingLog(),
      counts: createCountBook().task(10),
      cycleEnded: ({ slot }) => slots.push(slot),
    });
    const stop = new AbortController();
    const running = task.run(stop.signal, new AbortController().signal);
    await settle();

    stop.abort();
    await clock.pass(12_000);
    await running;

    expect(slots).toEqual(expected);
  });
});
