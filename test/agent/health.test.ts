import { describe, expect, it } from 'vitest';
import { healthFaults } from '../../src/agent/health.ts';
import type { Observed } from '../../src/agent/observation.ts';
import { createCountBook } from '../../src/agent/poll-counts.ts';
import { DropLog } from '../../src/messaging/delivery-stats.ts';
import { fakeHost } from '../../src/testing.ts';

/** An agent whose last cycle of an interval of 10 s ended some milliseconds ago. */
function agent(sinceCycle: number, broker?: { readonly connected: boolean; readonly blocked: boolean }): Observed {
  const counts = createCountBook();
  const none = { messages: 0, samples: 0 };
  return {
    hostname: 'h',
    namespaces: ['host'],
    version: '1',
    tasks: () => [
      {
        counts: counts.task(10),
        pollsters: [counts.pollster('fast', 'host', 'cpu')],
        lastReport: undefined,
        sinceCycle,
      },
    ],
    delivery: broker && {
      ...broker,
      connects: 1,
      sent: none,
      confirmed: none,
      resent: none,
      returned: none,
      dropped: new DropLog(fakeHost().log).counts,
      queued: { ...none, bytes: 0 },
    },
    serviceUse: () => [],
  };
}

describe('health', () => {
  it('is fine while cycles end within twice the interval', () => {
    expect(healthFaults(agent(20_000))).toEqual([]);
  });

  it('names the sources whose cycle has not ended for longer', () => {
    expect(healthFaults(agent(20_001))).toEqual(['no cycle of fast has ended for 20 s, its interval is 10 s']);
  });

  it('asks for a broker that is there and takes messages', () => {
    expect(healthFaults(agent(0, { connected: true, blocked: false }))).toEqual([]);
    expect(healthFaults(agent(0, { connected: false, blocked: false }))).toEqual([
      'not connected to the message broker',
    ]);
    expect(healthFaults(agent(0, { connected: true, blocked: true }))).toEqual([
      'the message broker takes no messages for now',
    ]);
  });
});
