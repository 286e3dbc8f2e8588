import { describe, expect, it } from 'vitest';
import { EdgeGate } from '../../src/agent/edge-gate.ts';
import { FakeClock } from '../helpers/fake-clock.ts';
import { recordingLog } from '../helpers/recording-log.ts';

function setUp() {
  const clock = new FakeClock(0);
  const log = recordingLog();
  const gate = new EdgeGate({ clock, log });
  const admitted = (resource: string, count: number) =>
    Array.from({ length: count }, () => gate.admits(resource)).filter(Boolean).length;
  return { clock, log, admitted };
}

describe('the gate for edges', () => {
  it('lets a burst of one resource through and refuses what is more, without a loss for the others', () => {
    const { admitted } = setUp();

    expect(admitted('flaps', 100)).toBe(15);
    expect(admitted('calm', 2)).toBe(2);
  });

  it('lets a flapping resource through now and then', async () => {
    const { admitted, clock } = setUp();
    admitted('flaps', 100);

    await clock.pass(60_000);

    expect(admitted('flaps', 100)).toBe(3);
  });

  it('gives the whole burst back to one that was quiet, and no more', async () => {
    const { admitted, clock } = setUp();
    admitted('flaps', 100);

    await clock.pass(24 * 3600 * 1000);

    expect(admitted('flaps', 100)).toBe(15);
  });

  it('tells once that it refuses, and how many it has refused when that ends', async () => {
    const { admitted, clock, log } = setUp();
    admitted('flaps', 100);

    await clock.pass(20_000);
    admitted('flaps', 1);

    expect(log.told).toEqual([
      'warn resource has too many edges, most of them are not polled',
      'info resource had too many edges, polling them again',
    ]);
    expect(log.lines[1]?.fields).toEqual({ resource: 'flaps', refused: 85 });
  });

  it('works for more resources than it wants to remember', async () => {
    const { admitted, clock } = setUp();

    for (let wave = 0; wave < 3; wave += 1) {
      for (let index = 0; index < 900; index += 1) expect(admitted(`${wave}-${index}`, 1)).toBe(1);
      await clock.pass(60_000);
    }

    expect(admitted('0-0', 20)).toBe(15);
  });
});
