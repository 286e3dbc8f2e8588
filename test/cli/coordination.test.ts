/**
 * Agents that share their work and send to a broker: some are restarted, some are killed, and so is what they meet at.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { startEtcd } from '../helpers/etcd.ts';
import { type Coverage, Fleet, type FleetOptions, type FleetSample, SHARED_SAMPLES } from '../helpers/fleet.ts';
import { startRabbitmq } from '../helpers/rabbitmq.ts';
import { startRedis } from '../helpers/redis.ts';
import { openSamplesInbox } from '../helpers/samples-inbox.ts';
import { describeWith } from '../helpers/services.ts';

/** Seconds. */
const INTERVAL = 2;
const LEASE = 6;

describeWith(['etcd', 'rabbitmq', 'redis'], 'agents that share their work', () => {
  let folder: string;
  let fleet: Fleet;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'ceilometer-fleet-'));
  });

  afterEach(async () => {
    await fleet?.end();
    rmSync(folder, { recursive: true });
  });

  /** Resolves after the first cycle of each. */
  async function start(
    backendUrl: string,
    hosts: readonly string[],
    broker?: NonNullable<FleetOptions['broker']>,
  ): Promise<void> {
    fleet = new Fleet({ folder, backendUrl, interval: INTERVAL, ...(broker && { broker }) });
    await Promise.all(hosts.map((host) => fleet.start(host).shows(/cycle done/)));
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

  /** Kills the agent that was started last, in the middle of a slot. Only a lease from then on may be missed. */
  async function killOne(from: number): Promise<{ readonly foreign: number; readonly unexcused: readonly number[] }> {
    await sleep(Math.random() * INTERVAL * 1000);
    fleet.processes.at(-1)?.kill('SIGKILL');
    const killed = Date.now();
    const kill = fleet.coverage(from, await fleet.slotsPass(5));
    show('kill -9 of an agent', kill);
    // The next beat after the lease notices it, and fills the slot of that time in.
    const noticed = fleet.slotAt(killed + (LEASE + LEASE / 3 + 1) * 1000);
    const unexcused = [...kill.missed.keys()].filter((slot) => slot < fleet.slotAt(killed) || slot >= noticed);
    return { foreign: kill.foreign, unexcused };
  }

  it('delivers one sample of each resource, meter and slot: all when restarted in turn, but for a lease after a kill', async () => {
    const hosts = ['a', 'b', 'c', 'd', 'e'];
    await using etcd = await startEtcd();
    await using rabbitmq = await startRabbitmq();
    const vhost = rabbitmq.vhost();
    const inbox = await openSamplesInbox<FleetSample>(await rabbitmq.connect(vhost));
    await start(`etcd3+http://127.0.0.1:${etcd.port}?membership_timeout=${LEASE}`, hosts, {
      url: `rabbit://guest:guest@127.0.0.1:${rabbitmq.port}/${vhost}`,
      received: () => inbox,
    });
    await fleet.knowEachOther();
    const begin = fleet.slotAt(Date.now()) + 1;
    const settled = await fleet.slotsPass(2);
    const before = fleet.coverage(settled, settled);

    for (const [at, host] of hosts.entries()) {
      const agent = fleet.processes[at];
      agent?.kill('SIGTERM');
      expect((await agent?.ended)?.code).toBe(0);
      await fleet.start(host).shows(/cycle done/);
    }
    const restarted = await fleet.slotsPass(1);
    const restart = fleet.coverage(begin, restarted);
    show('rolling restart of 5 agents', restart);

    const kill = await killOne(restarted + 1);

    nothingMissed(before);
    expect(before.repeated).toBe(0);
    nothingMissed(restart);
    expect(kill).toEqual({ foreign: 0, unexcused: [] });
  }, 180_000);

  it('polls on as before while the backend is away, and says so once, and misses no more than a lease after a kill', async () => {
    const hosts = ['a', 'b', 'c'];
    await using redis = await startRedis();
    await redis.stop();
    await start(`redis://127.0.0.1:${redis.port}?membership_timeout=${LEASE}`, hosts);
    // One that is too late for a slot repeats nothing in it.
    let alone: Coverage;
    do {
      const away = await fleet.slotsPass(1);
      alone = fleet.coverage(away, away);
    } while (alone.tooLate > 0);
    show('3 agents that find no backend', alone);

    await redis.start();
    await Promise.all(fleet.processes.map((agent) => agent.shows(/answers again/)));
    await fleet.knowEachOther();
    const begin = (await fleet.slotsPass(0)) + 1;
    await redis.stop();
    await fleet.slotsPass(2);
    await redis.start();
    const outage = fleet.coverage(begin, await fleet.slotsPass(1));
    show('an outage of the backend', outage);
    const [reloaded] = fleet.processes;
    const reloadedAt = fleet.slotAt(Date.now()) + 1;
    reloaded?.kill('SIGHUP');
    await reloaded?.shows(/configuration reloaded/);
    const reloadEnd = await fleet.slotsPass(1);
    const reload = fleet.coverage(reloadedAt, reloadEnd);
    show('a reload of one agent', reload);
    const kill = await killOne(reloadEnd + 1);

    nothingMissed(alone);
    expect(alone.repeated).toBe(2 * SHARED_SAMPLES);
    nothingMissed(outage);
    nothingMissed(reload);
    expect(reload.repeated).toBe(0);
    expect(kill).toEqual({ foreign: 0, unexcused: [] });
    for (const agent of fleet.processes) {
      // What no other agent can do is not shared.
      const own = fleet.samples([agent]).filter(({ counter_name }) => counter_name === 'fleet.local');
      expect(own.length).toBeGreaterThanOrEqual(8);
      expect(agent.stderr.match(/does not answer/g)).toHaveLength(2);
      expect(agent.stderr.match(/answers again/g)).toHaveLength(2);
    }
  }, 180_000);
});
