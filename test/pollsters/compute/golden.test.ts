import { describe, expect, it } from 'vitest';
import compute from '../../../src/pollsters/compute/index.ts';
import { json } from '../../helpers/fake-openstack.ts';
import { type GoldenHypervisor, type GoldenSample, goldenFacts, goldenSamples } from './golden.ts';
import { hostIn, novaWith } from './nova/support.ts';
import { cycle, type FakeHypervisor, fakeHypervisor, load, type Polled } from './support.ts';

/** What the Nova of the golden data knew. */
const flavors = json({ flavors: [{ name: 'm1.legacy', id: 'legacy-flavor-id-7' }] });

/** Meters that upstream does not have. */
const OURS = ['cpu_util'];

function tell(hypervisor: FakeHypervisor, { domains, stats, images }: GoldenHypervisor): void {
  if (hypervisor.domains.length === 0) hypervisor.domains = [...domains];
  for (const [uuid, said] of stats) hypervisor.stats.set(uuid, said);
  for (const [key, info] of images) hypervisor.images.set(key, info);
}

async function pollGolden(settings = {}) {
  const hypervisor = fakeHypervisor();
  const cloud = await novaWith({ '/compute/v2.1/flavors': flavors });
  const host = hostIn(cloud, hypervisor, settings);
  const plugin = await load(compute, host);
  tell(hypervisor, goldenFacts('before', 1000));
  const before = await plugin.poll(cycle(host));
  tell(hypervisor, goldenFacts('after', 1010));
  const after = await plugin.poll(cycle(host));
  return { before, after, host, hypervisor };
}

function keyOf(meter: string, resourceId: string): string {
  return `${meter} ${resourceId}`;
}

function byKey(polled: readonly Polled[]): Map<string, Polled> {
  return new Map(polled.map((reading) => [keyOf(reading.meter.name, reading.resourceId), reading]));
}

/** Field by field, key order included; empty when the reading is what the real agent sent. */
function differences(sample: GoldenSample, before: Polled | undefined, after: Polled | undefined): string[] {
  const key = keyOf(sample.counter_name, sample.resource_id);
  if (before === undefined || after === undefined) return [`${key}: no reading`];
  const found: string[] = [];
  function compare(field: string, theirs: unknown, ours: unknown): void {
    if (theirs !== ours) found.push(`${key}: ${field} is ${String(ours)}, the real agent's ${String(theirs)}`);
  }
  compare('type', sample.counter_type, after.meter.type);
  compare('unit', sample.counter_unit, after.meter.unit);
  compare('user', sample.user_id, after.userId);
  compare('project', sample.project_id, after.projectId);
  compare('float', sample.counter_name.startsWith('memory'), after.meter.float ?? false);
  compare('metadata', JSON.stringify(sample.resource_metadata), JSON.stringify(after.metadata));
  const [low, volume, high] = [Number(before.volume), sample.counter_volume, Number(after.volume)];
  // The agent polled between the facts: a CPU counter moved on, anything else is as it was at one of them.
  const moving = sample.counter_name === 'cpu' && low <= volume && volume <= high;
  const resting = volume === low && !sample.counter_name.endsWith('.delta');
  if (!moving && !resting) compare('volume', volume, high);
  return found;
}

describe('the golden domains', () => {
  it('yield what the real agent sent, sample by sample', async () => {
    const golden = goldenSamples();

    const { before, after } = await pollGolden();

    const [first, second] = [byKey(before), byKey(after)];
    const found = golden.flatMap((sample) => {
      const key = keyOf(sample.counter_name, sample.resource_id);
      return differences(sample, first.get(key), second.get(key));
    });
    expect(found).toEqual([]);
    expect(golden).toHaveLength(818);
    expect(first.size).toBe(818);
  });

  it('yield nothing that the real agent did not send, but for our own meters', async () => {
    const theirs = new Set(goldenSamples().map((sample) => keyOf(sample.counter_name, sample.resource_id)));

    const { after } = await pollGolden();

    const extra = after.filter(({ meter, resourceId }) => !theirs.has(keyOf(meter.name, resourceId)));
    expect([...new Set(extra.map(({ meter }) => meter.name))]).toEqual(OURS);
    expect(after).toHaveLength(818 + 19);
  });

  it('yield nine samples more when stopped instances are reported', async () => {
    const { before } = await pollGolden({ compute: { reportStoppedInstanceMetrics: true } });

    const usual = byKey((await pollGolden()).before);
    const more = before.filter(({ meter, resourceId }) => !usual.has(keyOf(meter.name, resourceId)));
    expect(before).toHaveLength(827);
    expect(more.map(({ meter, resourceId, volume }) => [meter.name, resourceId.slice(36), volume]).sort()).toEqual([
      ['disk.device.allocation', '-vda', 200704n],
      ['disk.device.allocation', '-vdb', 0n],
      ['disk.device.capacity', '-vda', 67108864n],
      ['disk.device.capacity', '-vdb', 33554432n],
      ['disk.device.usage', '-vda', 196616n],
      ['disk.device.usage', '-vdb', 33554432n],
      ['memory', '', 32],
      ['power.state', '', 5],
      ['vcpus', '', 1],
    ]);
  });

  it('leave out one domain with a warning that names the missing element, once and not in each cycle', async () => {
    const { host } = await pollGolden();

    // The guests that were recorded have told nothing since, which is no fault of theirs.
    const warnings = host.lines.filter(({ level }) => level !== 'debug' && level !== 'info');
    expect(warnings).toEqual([
      {
        level: 'warn',
        fields: {
          domain: 'instance-0000100c',
          uuid: expect.any(String),
          reason: 'element owner/user of the Nova metadata is missing',
        },
        message: 'domain with unusable XML is left out',
      },
    ]);
    expect(host.lines.filter(({ fields }) => Reflect.get(fields, 'domain') === 'instance-00001007')).toHaveLength(1);
  });

  it('have all meters of upstream, those included that no golden domain has', () => {
    const names = Object.keys(compute.pollsters?.['compute'] ?? {});

    const perf = ['perf.cpu.cycles', 'perf.instructions', 'perf.cache.references', 'perf.cache.misses'];
    const rates = ['network.incoming.bytes.rate', 'network.outgoing.bytes.rate'];
    const sent = new Set(goldenSamples().map(({ counter_name }) => counter_name));
    expect(new Set(names)).toEqual(new Set([...sent, ...perf, ...rates, ...OURS]));
  });

  it('cost two calls per cycle, and one per disk at the first', async () => {
    const { hypervisor } = await pollGolden();

    expect(hypervisor.calls.domains).toBe(2);
    expect(hypervisor.calls.stats).toBe(2);
    expect(hypervisor.calls.blockInfo).toHaveLength(38);
    expect(new Set(hypervisor.calls.blockInfo).size).toBe(38);
  });
});
