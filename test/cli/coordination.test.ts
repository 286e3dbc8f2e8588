/** Agents that share their work: some are restarted, some are killed, and so is what they meet at. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { startEtcd } from '../helpers/etcd.ts';
import { type Coverage, Fleet } from '../helpers/fleet.ts';
import { startRedis } from '../helpers/redis.ts';
import { describeWith } from '../helpers/services.ts';
import { until } from '../helpers/until.ts';

/** Seconds. */
const INTERVAL = 2;
const LEASE = 6;

describeWith(['etcd', 'redis'], 'agents that share their work', () => {
  let folder: string;
  let fleet: Fleet;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'ceilometer-fleet-'));
  });

  afterEach(async () => {
    await fleet.end();
    rmSync(folder, { recursive: true });
  });

  /** Resolves after the first cycle of each. */
  async function start(url: string, hosts: readonly string[]): Promise<void> {
    fleet = new Fleet(folder, url, INTERVAL);
    await Promise.all(hosts.map((host) => fleet.start(host).shows(/cycle done/, 60)));
  }

  /** The slot that has begun `count` slots from now and is over. */
  async function slotsPass(count: number): Promise<number> {
    const slot = fleet.slotAt(Date.now()) + count;
    await until('slots pass', () => fleet.slotAt(Date.now()) > slot, 60_000);
    // What has its time stamp at the end of a slot may be written a little later.
    await sleep(500);
    return slot;
  }

  function show(what: string, { missed, repeated, slots, tooLate }: Coverage): void {
    const lost = [...missed.values()].reduce((sum, count) => sum + count, 0);
    console.log(`${what}: ${slots} slots, ${repeated} ids repeated, ${lost} samples missed in ${missed.size} slots`);
    if (tooLate > 0) console.log(`  (besides ${tooLate} slots that agents say they were too late for)`);
  }

  function nothingMissed({ missed, foreign }: Coverage): void {
    if (missed.size > 0) console.log(fleet.troubles().join('\n'));
    expect({ missed: [...missed], foreign }).toEqual({ missed: [], foreign: 0 });
  }

  it('misses nothing when they are restarted one by one, and a lease when one is killed', async () => {
    const hosts = ['a', 'b', 'c', 'd', 'e'];
    await using etcd = await startEtcd();
    await start(`etcd3+http://127.0.0.1:${etcd.port}?membership_timeout=${LEASE}`, hosts);
    const begin = fleet.slotAt(Date.now()) + 1;
    const settled = await slotsPass(2);
    const before = fleet.coverage(settled, settled);

    for (const [at, host] of hosts.entries()) {
      const agent = fleet.processes[at];
      agent?.kill('SIGTERM');
      expect((await agent?.ended)?.code).toBe(0);
      await fleet.start(host).shows(/cycle done/, 60);
    }
    const restarted = await slotsPass(1);
    const restart = fleet.coverage(begin, restarted);
    show('rolling restart of 5 agents', restart);

    await sleep(Math.random() * INTERVAL * 1000);
    fleet.processes.at(-1)?.kill('SIGKILL');
    const killed = Date.now();
    const kill = fleet.coverage(restarted + 1, await slotsPass(5));
    show('kill -9 of 1 of 5 agents', kill);

    nothingMissed(before);
    expect(before.repeated).toBe(0);
    nothingMissed(restart);
    expect(kill.foreign).toBe(0);
    // The next beat after the lease notices it, and fills the slot of that time in.
    const noticed = fleet.slotAt(killed + (LEASE + LEASE / 3 + 1) * 1000);
    expect([...kill.missed.keys()].filter((slot) => slot < fleet.slotAt(killed) || slot >= noticed)).toEqual([]);
  }, 180_000);

  it('polls on as before while the backend is away, and says so once', async () => {
    const hosts = ['a', 'b', 'c'];
    await using redis = await startRedis();
    await redis.stop();
    await start(`redis://127.0.0.1:${redis.port}?membership_timeout=${LEASE}`, hosts);
    const away = await slotsPass(1);
    const alone = fleet.coverage(away, away);
    show('3 agents that find no backend', alone);

    await redis.start();
    await Promise.all(fleet.processes.map((agent) => agent.shows(/answers again/)));
    await until('all know of each other', () => fleet.processes.every(({ stderr }) => /agents[=:" ]+3/.test(stderr)));
    const begin = (await slotsPass(0)) + 1;
    await redis.stop();
    await slotsPass(2);
    await redis.start();
    const outage = fleet.coverage(begin, await slotsPass(1));
    show('an outage of the backend', outage);
    const [reloaded] = fleet.processes;
    const reloadedAt = fleet.slotAt(Date.now()) + 1;
    reloaded?.kill('SIGHUP');
    await reloaded?.shows(/configuration reloaded/);
    const reload = fleet.coverage(reloadedAt, await slotsPass(1));
    show('a reload of one agent', reload);

    nothingMissed(alone);
    expect(alone.repeated).toBe(2 * 620);
    nothingMissed(outage);
    nothingMissed(reload);
    expect(reload.repeated).toBe(0);
    for (const agent of fleet.processes) {
      // What no other agent can do is not shared.
      const own = fleet.samples([agent]).filter(({ counter_name }) => counter_name === 'fleet.local');
      expect(own.length).toBeGreaterThanOrEqual(8);
      expect(agent.stderr.match(/does not answer/g)).toHaveLength(2);
      expect(agent.stderr.match(/answers again/g)).toHaveLength(2);
    }
  }, 180_000);
});
