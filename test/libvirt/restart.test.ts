/** libvirtd that dies again and again under the agent's hands. */
import { readdirSync, readlinkSync } from 'node:fs';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { createInspector } from '../../src/libvirt/create-inspector.ts';
import { createDomains, plainDomains } from '../helpers/domains.ts';
import { eventually } from '../helpers/eventually.ts';
import { describeWithLibvirtd, type Libvirtd, startLibvirtd } from '../helpers/libvirtd.ts';
import { recordingLog } from '../helpers/recording-log.ts';

const ROUNDS = 20;

// Twenty daemons take their time to start on a busy machine.
vi.setConfig({ testTimeout: 180_000 });

describeWithLibvirtd('an inspector whose libvirtd is killed', () => {
  let libvirtd: Libvirtd;

  beforeAll(async () => {
    libvirtd = await startLibvirtd();
    const domains = plainDomains(3).map((domain) => ({ ...domain, disks: ['raw' as const], nics: [] }));
    await createDomains(libvirtd, domains);
  });

  afterAll(() => libvirtd?.close());

  it(`in the middle of a cycle, ${ROUNDS} times in a row, polls again each time and leaks nothing`, async () => {
    const controller = new AbortController();
    const { signal } = controller;
    const log = recordingLog();
    const timersBefore = timers();
    const inspector = createInspector({ uri: libvirtd.uri, log, callTimeout: 4_000 });
    const disks = (await inspector.domains(signal)).map((domain) => ({ domain, device: 'vda' }));
    const poll = async () => {
      const domains = await inspector.domains(signal);
      await inspector.blockInfo(disks, signal);
      return (await inspector.stats(domains, signal)).size;
    };
    const outcomes: string[] = [];
    let baseline = await used(poll);

    for (let round = 0; round < ROUNDS; round++) {
      const underWay = Promise.allSettled([poll(), poll(), inspector.domains(signal)]);
      await new Promise((resolve) => setTimeout(resolve, round));
      await libvirtd.kill();
      outcomes.push(...(await underWay).map(({ status }) => status));
      await libvirtd.start();
      await eventually(() => poll().catch(() => 0)).toBe(3);
      // The first restart may open what stays open.
      if (round === 0) baseline = await used(poll);
    }

    expect(outcomes).toHaveLength(3 * ROUNDS);
    await eventually(() => used(poll)).toEqual(baseline);
    expect(log.fields('lost the connection to libvirt').length).toBe(ROUNDS);
    expect(inspector.connections).toBe(ROUNDS + 1);

    await inspector.close();
    await eventually(openSockets).toBe(baseline.sockets - 2);
    // Some are the test's own.
    await eventually(timers).toBeLessThan(timersBefore + 5);
  });
});

interface Used {
  readonly sockets: number;
  readonly resources: Readonly<Record<string, number>>;
}

/** What this process has open between two polls. */
async function used(poll: () => Promise<unknown>): Promise<Used> {
  await poll();
  return { sockets: openSockets(), resources: resources() };
}

function timers(): number {
  return process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
}

function openSockets(): number {
  return readdirSync('/proc/self/fd').filter((fd) => isSocket(fd)).length;
}

function isSocket(fd: string): boolean {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`).startsWith('socket:');
  } catch {
    // The descriptor of the listing itself.
    return false;
  }
}

/** Kinds of what keeps the event loop busy, with how many there are; the test's own waiting is left out. */
function resources(): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const kind of process.getActiveResourcesInfo()) if (kind !== 'Timeout') counts[kind] = (counts[kind] ?? 0) + 1;
  return counts;
}
