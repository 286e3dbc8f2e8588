import { describe, expect, it } from 'vitest';
import { createTableOutput } from '../../src/output/table.ts';
import type { Sample } from '../../src/sample.ts';
import { textWidth } from '../../src/util/text.ts';
import { patient, report, SlowStream, sample } from './samples.ts';

async function shown(
  samples: readonly Sample[],
  cycle = report(),
  stream = new SlowStream(),
  env = {},
): Promise<string> {
  const output = createTableOutput({ stream, env });
  await output.publish(samples, patient);
  output.cycleEnded?.(cycle);
  await output.flush(patient);
  return stream.text;
}

function terminal(columns: number): SlowStream {
  return Object.assign(new SlowStream(), { isTTY: true, columns });
}

describe('the table of a cycle', () => {
  it('has a row a sample by resource and meter, each resource named once', async () => {
    const text = await shown(
      [
        sample({ name: 'hardware.memory.used', volume: 1536 }),
        sample({ name: 'hardware.network.incoming.bytes', unit: 'B', volume: 2n ** 64n, resourceId: 'cn1.eth0' }),
        sample(),
        sample({ name: 'hardware.cpu.load.1min', unit: 'process', volume: 0.25 }),
      ],
      report({ samples: 4 }),
    );

    expect(text).toBe(
      [
        'RESOURCE  METER                            VALUE',
        'cn1       hardware.cpu.load.1min            0.25  process',
        '          hardware.memory.total             2.0   MiB',
        '          hardware.memory.used              1.5   MiB',
        'cn1.eth0  hardware.network.incoming.bytes  16.0   EiB',
        '09:08:07  host: 4 samples of 31 pollsters in 12 ms',
        '',
        '',
      ].join('\n'),
    );
  });

  it('names an instance as its owner does, and obeys nothing in that name', async () => {
    const text = await shown([sample({ resourceId: '4f0b', metadata: { display_name: '\u001b[31mweb "1"' } })]);

    expect(text).toContain('\ufffd[31mweb "1" (4f0b)');
    expect(text).not.toContain('\u001b');
  });

  it('tells of failures by reason, and of missed slots', async () => {
    const failures = [
      { source: 'vms', pollster: 'cpu', message: 'no libvirt socket answers' },
      { source: 'vms', pollster: 'memory', message: 'no libvirt socket answers' },
      { source: 'host', pollster: 'hardware.cpu.util', message: 'poll threw\nnonsense' },
    ];

    const text = await shown(
      [],
      report({ samples: 0, seconds: 1.234, failures, missedSlots: 1, sources: ['vms', 'host'] }),
    );

    expect(text).toBe(
      [
        '09:08:07  vms, host: 0 samples of 31 pollsters in 1.23 s, 3 failed',
        '  failed: vms/cpu and 1 other: no libvirt socket answers',
        '  failed: host/hardware.cpu.util: poll threw\ufffdnonsense',
        '  missed: 1 slot of 10 s, the cycle before took too long',
        '',
        '',
      ].join('\n'),
    );
  });

  it('begins anew with each cycle', async () => {
    const stream = new SlowStream();
    const output = createTableOutput({ stream, env: {} });

    await output.publish([sample({ resourceId: 'first' })], patient);
    output.cycleEnded?.(report());
    await output.publish([sample({ resourceId: 'second' })], patient);
    output.cycleEnded?.(report());

    expect(stream.text.match(/first/g)).toHaveLength(1);
    expect(stream.text.match(/second/g)).toHaveLength(1);
  });

  it('has its own samples alone, while a cycle of another interval is at work', async () => {
    const stream = new SlowStream();
    const output = createTableOutput({ stream, env: {} });

    await output.publish([sample({ resourceId: 'slow-1' })], patient, 300);
    await output.publish([sample({ resourceId: 'quick-1' })], patient, 10);
    await output.publish([sample({ resourceId: 'slow-2' })], patient, 300);
    output.cycleEnded?.(report({ sources: ['quick'], seconds: 0.02 }));
    await output.publish([sample({ resourceId: 'slow-3' })], patient, 300);
    output.cycleEnded?.(report({ interval: 300, sources: ['slow'], seconds: 5, samples: 3 }));

    const [quick, slow] = stream.text.split('\n\n').map((table) => table.match(/(quick|slow)-\d|in [\d.]+ m?s/g));
    expect(quick).toEqual(['quick-1', 'in 20 ms']);
    expect(slow).toEqual(['slow-1', 'slow-2', 'slow-3', 'in 5.00 s']);
  });
});

describe('on a terminal', () => {
  it('no line is wider than the window, long ids lose their middle', async () => {
    const resourceId = '4f0b9a1e-1234-4567-89ab-000000000007-tap1a2b3c4d-5e';

    const text = await shown([sample({ resourceId, name: 'network.incoming.bytes' })], report(), terminal(60), {
      NO_COLOR: '1',
    });

    expect(Math.max(...text.split('\n').map(textWidth))).toBeLessThanOrEqual(60);
    expect(text).toMatch(/4f0b9a1.*….*c4d-5e/);
  });

  it.each([
    { env: {}, coloured: true },
    { env: { NO_COLOR: '1' }, coloured: false },
    { env: { NO_COLOR: '' }, coloured: true },
    { env: { TERM: 'dumb' }, coloured: false },
  ])('with $env colours are used: $coloured', async ({ env, coloured }) => {
    const text = await shown([sample()], report(), terminal(80), env);

    expect(text.includes('\u001b[1m')).toBe(coloured);
  });

  it('more samples than anyone reads are shown as one row a meter', async () => {
    const samples = Array.from({ length: 100 }, (_, index) => [
      sample({ name: 'cpu', unit: 'ns', volume: BigInt(index) * 10n ** 9n, resourceId: `vm${index}` }),
      ...['vda', 'vdb', 'vdc', 'vdd'].map((disk) =>
        sample({ name: 'disk.device.usage', unit: 'B', volume: 1024 * (index + 1), resourceId: `vm${index}-${disk}` }),
      ),
    ]).flat();

    const text = await shown(samples, report({ samples: 500 }), terminal(80), { NO_COLOR: '1' });

    expect(text).toBe(
      [
        'METER              RESOURCES  LOWEST       HIGHEST',
        'cpu                      100     0    ns       1.7  min',
        'disk.device.usage        400     1.0  KiB    100.0  KiB',
        '500 values shown as one row a meter; --output jsonl has each',
        '09:08:07  host: 500 samples of 31 pollsters in 12 ms',
        '',
        '',
      ].join('\n'),
    );
  });
});

describe('into a pipe', () => {
  it('every sample is shown, without colours', async () => {
    const samples = Array.from({ length: 1000 }, (_, index) => sample({ resourceId: `vm${index}` }));

    const text = await shown(samples);

    expect(text.split('\n').filter((line) => line.startsWith('vm'))).toHaveLength(1000);
    expect(text).not.toContain('\u001b');
  });

  it('that is not read, cycles are left out and counted instead of piling up', async () => {
    const stream = new SlowStream({ highWaterMark: 10 });
    const output = createTableOutput({ stream, env: {} });
    stream.stall();

    for (const resourceId of ['first', 'second', 'third']) {
      await output.publish([sample({ resourceId })], patient);
      output.cycleEnded?.(report());
    }
    stream.resume();
    await output.flush(patient);
    await output.publish([sample({ resourceId: 'fourth' })], patient);
    output.cycleEnded?.(report());

    expect(stream.text).toMatch(/^first/m);
    expect(stream.text).not.toMatch(/^(second|third)/m);
    expect(stream.text).toMatch(/^fourth/m);
    expect(stream.text).toContain('not shown: 2 cycles, the output was not read in time');
  });

  it('whose reader went away it says so once and goes on quietly', async () => {
    const stream = new SlowStream();
    let gone = 0;
    const output = createTableOutput({ stream, env: {}, onGone: () => (gone += 1) });
    stream.stall();

    await output.publish([sample()], patient);
    output.cycleEnded?.(report());
    await stream.fail('EPIPE');
    await output.publish([sample()], patient);
    output.cycleEnded?.(report());

    expect(gone).toBe(1);
    expect(await output.flush(patient)).toBe(0);
    await output.close();
  });
});

describe('into a file on a full disk', () => {
  it('the next samples are refused with the reason, and what is lost is counted', async () => {
    const stream = new SlowStream();
    const output = createTableOutput({ stream, env: {} });
    stream.stall();

    await output.publish([sample(), sample()], patient);
    output.cycleEnded?.(report());
    await stream.fail('ENOSPC');

    await expect(output.publish([sample()], patient)).rejects.toThrow('cannot write to the terminal: write ENOSPC');
    expect(() => output.cycleEnded?.(report())).not.toThrow();
    expect(await output.flush(patient)).toBe(2);
  });
});

it('has one line a cycle, where that is asked for', async () => {
  const stream = new SlowStream();
  const output = createTableOutput({ stream, env: {}, headlines: true });

  for (const missedSlots of [0, 1]) {
    await output.publish([sample()], patient);
    output.cycleEnded?.(report({ samples: 1, missedSlots }));
  }
  await output.flush(patient);

  expect(stream.text.replace(/^ {2}missed.*\n/m, '')).toBe(
    '09:08:07  host: 1 sample of 31 pollsters in 12 ms\n'.repeat(2),
  );
  expect(stream.text).toMatch(/^ {2}missed: 1 slot of/m);
});
