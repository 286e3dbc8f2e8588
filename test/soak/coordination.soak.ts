/** Many restarts and kills among agents that share their work. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { AgentProcess } from '../helpers/agent-process.ts';
import { startEtcd } from '../helpers/etcd.ts';
import { Fleet } from '../helpers/fleet.ts';
import { describeWith } from '../helpers/services.ts';

const ROUNDS = Number(process.env['CEILOMETER_SOAK_ROUNDS'] ?? 10);
const HOSTS = ['a', 'b', 'c', 'd', 'e'];
/** Seconds. */
const INTERVAL = 5;
const LEASE = 10;

describeWith('etcd', 'agents that share their work, for long', () => {
  let folder: string;
  let fleet: Fleet;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'ceilometer-soak-'));
  });

  afterAll(async () => {
    await fleet?.end();
    rmSync(folder, { recursive: true, force: true });
  });

  it(`misses nothing in ${ROUNDS} rolling restarts, and a lease in each of ${ROUNDS} kills`, async () => {
    await using etcd = await startEtcd();
    fleet = new Fleet({
      folder,
      backendUrl: `etcd3+http://127.0.0.1:${etcd.port}?membership_timeout=${LEASE}`,
      interval: INTERVAL,
    });
    const agents = new Map<string, AgentProcess>();
    const start = async (host: string) => {
      const agent = fleet.start(host);
      agents.set(host, agent);
      await agent.shows(/cycle done/);
    };
    await Promise.all(HOSTS.map(start));
    const kills: number[] = [];

    for (let round = 0; round < ROUNDS; round += 1) {
      await fleet.knowEachOther();
      const begin = fleet.slotAt(Date.now());
      for (const host of HOSTS) {
        agents.get(host)?.kill('SIGTERM');
        await agents.get(host)?.ended;
        await start(host);
      }
      const clean = fleet.coverage(begin, await fleet.slotsPass(1));
      console.log(
        `round ${round}, restarts: ${clean.repeated} ids repeated, missed ${JSON.stringify([...clean.missed])}`,
      );
      expect([clean.missed.size, clean.foreign]).toEqual([0, 0]);

      const host = HOSTS[round % HOSTS.length] ?? '';
      await sleep(Math.random() * INTERVAL * 1000);
      agents.get(host)?.kill('SIGKILL');
      const killed = Date.now();
      const kill = fleet.coverage(
        fleet.slotAt(killed),
        await fleet.slotsPass(Math.ceil((LEASE + LEASE / 3) / INTERVAL) + 1),
      );
      console.log(`round ${round}, kill: missed ${JSON.stringify([...kill.missed])}`);
      kills.push(...[...kill.missed.keys()].map((slot) => slot - fleet.slotAt(killed) + 1));
      await start(host);
    }

    console.log(`${ROUNDS} kills: at most ${Math.max(0, ...kills)} slots of ${INTERVAL} s, lease ${LEASE} s`);
    expect(Math.max(0, ...kills)).toBeLessThanOrEqual(Math.ceil((LEASE + LEASE / 3 + 1) / INTERVAL));
  });
});
