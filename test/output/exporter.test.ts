import { describe, expect, it } from 'vitest';
import { createExporter } from '../../src/output/exporter.ts';
import { exposition } from '../../src/prometheus/exposition.ts';
import type { Sample } from '../../src/sample.ts';
import { CollectingOutput } from '../helpers/collecting-output.ts';

const signal = new AbortController().signal;

function sampleOf(name: string, resourceId: string, fields: Partial<Sample> = {}): Sample {
  return {
    id: 'id',
    name,
    type: 'gauge',
    unit: 'B',
    volume: 1,
    resourceId,
    projectId: 'p1',
    projectName: null,
    userId: 'u1',
    userName: null,
    timestamp: '2026-03-01T00:00:00',
    monotonicTime: 1,
    metadata: {},
    source: 'openstack',
    ...fields,
  };
}

const cycleOf = (interval: number) => ({
  interval,
  sources: ['s'],
  slot: 1,
  startedAt: 0,
  seconds: 1,
  pollsters: 1,
  samples: 1,
  failures: [],
  missedSlots: 0,
});

function exporting() {
  const collected = new CollectingOutput();
  const { output, families } = createExporter(collected);
  const scrape = () => [...exposition(families())].join('');
  const publish = (interval: number, ...samples: readonly Sample[]) => output.publish(samples, signal, interval);
  const cycleEnded = (interval: number) => output.cycleEnded?.(cycleOf(interval));
  return { collected, scrape, publish, cycleEnded };
}

describe('the exporter', () => {
  it('has the names, labels and values of upstream, integers exact', async () => {
    const { publish, cycleEnded, scrape } = exporting();
    const metadata = {
      host: 'cmp01',
      display_name: 'web "0"',
      name: 'instance-1',
      user_metadata: { server_group: 'g' },
      flavor: { id: 'f', name: 'm1' },
    };

    await publish(60, sampleOf('disk.device.read-bytes', 'r', { volume: 2n ** 63n, metadata }));
    cycleEnded(60);

    expect(scrape()).toBe(
      '# HELP ceilometer_disk_device_read_bytes \n# TYPE ceilometer_disk_device_read_bytes gauge\n' +
        'ceilometer_disk_device_read_bytes{disk="read-bytes",publisher="ceilometer",type="device",' +
        'counter="disk.device.read-bytes",project="p1",user="u1",unit="B",resource="r",vm_instance="cmp01",' +
        'resource_name="web \\"0\\":instance-1",server_group="g",flavor_id="f",flavor_name="m1"} 9223372036854775808\n',
    );
  });

  it('shows a cycle only when it is whole, and then nothing of the one before', async () => {
    const { publish, cycleEnded, scrape } = exporting();
    const resources = () => [...scrape().matchAll(/resource="(\w+)"/g)].map(([, id]) => id);

    await publish(60, sampleOf('cpu', 'a'), sampleOf('cpu', 'b'));
    expect(scrape()).toBe('');
    cycleEnded(60);
    expect(resources()).toEqual(['a', 'b']);
    await publish(60, sampleOf('cpu', 'c'));
    expect(resources()).toEqual(['a', 'b']);
    cycleEnded(60);
    expect(resources()).toEqual(['c']);
    cycleEnded(60);
    expect(scrape()).toBe('');
  });

  it('keeps cycles of other intervals, whose series are in one family, each once', async () => {
    const { publish, cycleEnded, scrape } = exporting();

    await publish(60, sampleOf('cpu', 'a'), sampleOf('cpu', 'b', { volume: 1 }));
    await publish(10, sampleOf('cpu', 'b', { volume: 2 }), sampleOf('cpu', 'c'));
    cycleEnded(60);
    expect(scrape()).not.toContain('resource="c"');
    cycleEnded(10);

    expect(scrape().match(/# TYPE/g)).toHaveLength(1);
    expect(scrape().match(/resource="\w"/g)).toEqual(['resource="a"', 'resource="b"', 'resource="c"']);
    expect(scrape()).toMatch(/resource="b"} 2\n/);
  });

  it('takes samples of one meter whose labels differ', async () => {
    const { publish, cycleEnded, scrape } = exporting();
    const bare = { projectId: null, userId: null, unit: '' };

    await publish(
      60,
      sampleOf('cpu', 'a'),
      sampleOf('cpu', 'b', bare),
      sampleOf('cpu', 'c', { metadata: { host: 'h' } }),
    );
    cycleEnded(60);

    const lines = scrape()
      .split('\n')
      .filter((line) => line.startsWith('ceilometer_cpu{'));
    expect(lines).toHaveLength(3);
    expect(lines[1]).toBe('ceilometer_cpu{cpu="b",publisher="ceilometer",type="cpu",counter="cpu",resource="b"} 1');
    expect(lines[2]).toContain('vm_instance="h",server_group="none"');
  });

  it('hands everything on', async () => {
    const { collected, publish, cycleEnded } = exporting();

    await publish(60, sampleOf('cpu', 'a'));
    cycleEnded(60);

    expect(collected.samples.map(({ resourceId }) => resourceId)).toEqual(['a']);
    expect(collected.reports).toHaveLength(1);
  });
});
