import { hostname } from 'node:os';
import { describe, expect, it } from 'vitest';
import { codeOf } from '../../../src/errors.ts';
import plugin, { hostPlugin } from '../../../src/pollsters/host/index.ts';
import { createLinuxMachine, type LinuxSources } from '../../../src/pollsters/host/linux.ts';
import { fakeHost, type RecordedMachine, recorded, recordingLog } from './recorded.ts';
import { agentOf, silent, volumes } from './run.ts';

function pluginOf(machine: RecordedMachine, overrides: Partial<LinuxSources> = {}) {
  return hostPlugin(() => createLinuxMachine(recorded(machine, overrides), recordingLog().log));
}

/** Answers of `/proc/stat`, one after the other. */
function statAnswers(...texts: readonly string[]) {
  const left = [...texts];
  const { readProc } = recorded('vm');
  return (path: string) => (path === '/proc/stat' ? left.shift() : readProc(path));
}

describe('the host namespace', () => {
  it('has the meters of the former SNMP pollsters with their types and units', async () => {
    const { pollsters } = await agentOf(pluginOf('vm'));

    const meters = [...pollsters.values()].flatMap((pollster) =>
      pollster.meters.map(({ name, type, unit }) => `${name} ${type} ${unit}`),
    );

    expect(meters.sort()).toEqual([
      'hardware.cpu.idle gauge tick',
      'hardware.cpu.interrupt gauge tick',
      'hardware.cpu.kernel gauge tick',
      'hardware.cpu.load.15min gauge process',
      'hardware.cpu.load.1min gauge process',
      'hardware.cpu.load.5min gauge process',
      'hardware.cpu.nice gauge tick',
      'hardware.cpu.system gauge tick',
      'hardware.cpu.user gauge tick',
      'hardware.cpu.util gauge %',
      'hardware.cpu.wait gauge tick',
      'hardware.disk.read.bytes gauge B',
      'hardware.disk.read.requests gauge requests',
      'hardware.disk.size.total gauge KB',
      'hardware.disk.size.used gauge KB',
      'hardware.disk.write.bytes gauge B',
      'hardware.disk.write.requests gauge requests',
      'hardware.memory.buffer gauge KB',
      'hardware.memory.cached gauge KB',
      'hardware.memory.swap.avail gauge KB',
      'hardware.memory.swap.total gauge KB',
      'hardware.memory.total gauge KB',
      'hardware.memory.used gauge KB',
      'hardware.network.incoming.bytes cumulative B',
      'hardware.network.ip.incoming.datagrams cumulative datagrams',
      'hardware.network.ip.outgoing.datagrams cumulative datagrams',
      'hardware.network.outgoing.bytes cumulative B',
      'hardware.network.outgoing.errors cumulative packet',
      'hardware.system_stats.cpu.idle gauge %',
      'hardware.system_stats.io.incoming.blocks cumulative blocks',
      'hardware.system_stats.io.outgoing.blocks cumulative blocks',
    ]);
  });

  it('finds this machine alone, under the name that its samples carry', async () => {
    const host = fakeHost('cn7');
    const discovery = await plugin.discoveries?.['host']?.['local_node']?.(host);

    const found = await discovery?.discover(undefined, {
      signal: new AbortController().signal,
      cache: { get: async (_, load) => load() },
      log: host.log,
      source: 'any',
    });

    expect(found).toEqual([{ id: 'cn7' }]);
    expect(discovery?.group).toBeNull();
  });

  it('reads a hypervisor exactly, whatever runs on it', async () => {
    const { cycle } = await agentOf(pluginOf('hypervisor'));

    const read = volumes(await cycle());

    expect(read).toMatchObject({
      'cn1 hardware.cpu.load.1min': 0.5,
      'cn1 hardware.cpu.load.5min': 2,
      'cn1 hardware.cpu.load.15min': 1.25,
      'cn1 hardware.cpu.idle': 9007199254740995n,
      'cn1 hardware.cpu.kernel': 345678901n,
      'cn1 hardware.cpu.system': 345678901n + 3456789n,
      'cn1 hardware.cpu.interrupt': 0n,
      'cn1 hardware.memory.total': 527540736,
      'cn1 hardware.memory.used': 517054976,
      'cn1 hardware.memory.buffer': 2097152,
      'cn1 hardware.memory.cached': 16777216,
      'cn1 hardware.memory.swap.total': 8388604,
      'cn1 hardware.memory.swap.avail': 0,
      'cn1./dev/mapper/vg0-root hardware.disk.size.total': 4000n,
      'cn1./dev/mapper/vg0-root hardware.disk.size.used': 3000n,
      'cn1.sda hardware.disk.read.bytes': 9223372036854775807n * 512n,
      'cn1.nvme0n1 hardware.disk.write.requests': 40192837n,
      'cn1.bond0 hardware.network.incoming.bytes': 18014398509481985n,
      'cn1.bond0 hardware.network.outgoing.errors': 7n,
      'cn1 hardware.network.ip.incoming.datagrams': 12345678901234n,
      'cn1 hardware.system_stats.io.outgoing.blocks': 14246913578n,
    });
  });

  it('describes the resources in their metadata', async () => {
    const overrides: Partial<LinuxSources> = {
      readSys: async (path) => (path.endsWith('/speed') ? '10000\n' : '02:00:00:00:00:01\n'),
    };
    const { cycle } = await agentOf(pluginOf('vm', overrides));

    const polls = await cycle();

    const metadataOf = (meter: string) => polls.get(meter)?.readings[0]?.metadata;
    const machine = { host: 'cn1', resource_url: 'host://cn1' };
    expect(metadataOf('hardware.cpu.load.1min')).toEqual(machine);
    expect(metadataOf('hardware.disk.size.used')).toEqual({
      ...machine,
      device: '/dev/vda1',
      path: '/',
      fstype: 'ext4',
    });
    expect(metadataOf('hardware.disk.read.bytes')).toEqual({ ...machine, device: 'vda' });
    expect(metadataOf('hardware.network.incoming.bytes')).toEqual({
      ...machine,
      name: 'eth0',
      mac: '02:00:00:00:00:01',
      speed: 1_250_000_000,
    });
  });

  it('shares metadata between the meters of a resource, which saves work further on', async () => {
    const { cycle } = await agentOf(pluginOf('vm'));

    const polls = await cycle();

    const metadataOf = (meter: string) => polls.get(meter)?.readings[0]?.metadata;
    expect(metadataOf('hardware.disk.read.bytes')).toBe(metadataOf('hardware.disk.write.requests'));
    expect(metadataOf('hardware.memory.total')).toBe(metadataOf('hardware.cpu.load.1min'));
  });

  it('asks the machine once a cycle for each area, however many meters there are', async () => {
    const asked: string[] = [];
    const { readProc, mem, statfs } = recorded('vm');
    const { cycle } = await agentOf(
      pluginOf('vm', {
        readProc: (path) => {
          asked.push(path);
          return readProc(path);
        },
        mem: () => {
          asked.push('mem');
          return mem();
        },
        statfs: (path) => {
          asked.push(`statfs ${path}`);
          return statfs(path);
        },
      }),
    );

    await cycle();

    expect(asked.sort()).toEqual([
      '/proc/diskstats',
      '/proc/net/dev',
      '/proc/net/snmp',
      '/proc/self/mountinfo',
      '/proc/stat',
      '/proc/vmstat',
      'mem',
      'statfs /',
    ]);
  });

  it('has a use of the processors from the second read on, for each polling source by itself', async () => {
    const readProc = statAnswers('cpu  100 0 100 800 0\n', 'cpu  150 0 100 850 0\n', 'cpu  150 0 100 950 0\n');
    const { cycle } = await agentOf(pluginOf('vm', { readProc }));

    const first = await cycle({ source: 'fast' });
    const second = await cycle({ source: 'slow' });
    const third = await cycle({ source: 'fast' });

    const none = { 'hardware.cpu.util': 'ERR_NO_DATA', 'hardware.system_stats.cpu.idle': 'ERR_NO_DATA' };
    expect(silent(first)).toMatchObject(none);
    expect(silent(second)).toMatchObject(none);
    expect(volumes(third)).toMatchObject({
      'cn1 hardware.cpu.util': 25,
      'cn1 hardware.system_stats.cpu.idle': 75,
    });
  });

  it('has no reading, and a reason, for what a container does not have', async () => {
    const { cycle } = await agentOf(pluginOf('container'));

    const polls = await cycle();

    expect(silent(polls)).toEqual(
      Object.fromEntries(
        [
          'hardware.cpu.util',
          'hardware.system_stats.cpu.idle',
          'hardware.memory.buffer',
          'hardware.memory.swap.avail',
          'hardware.memory.swap.total',
          'hardware.disk.read.bytes',
          'hardware.disk.read.requests',
          'hardware.disk.write.bytes',
          'hardware.disk.write.requests',
          'hardware.network.incoming.bytes',
          'hardware.network.outgoing.bytes',
          'hardware.network.outgoing.errors',
          'hardware.network.ip.incoming.datagrams',
          'hardware.network.ip.outgoing.datagrams',
          'hardware.system_stats.io.incoming.blocks',
          'hardware.system_stats.io.outgoing.blocks',
        ].map((meter) => [meter, 'ERR_NO_DATA']),
      ),
    );
    expect(volumes(polls)).toMatchObject({ 'cn1.overlay hardware.disk.size.total': 4000n });
  });

  it('keeps the deadline when an area does not answer, and the other areas go on', async () => {
    const deadline = new Error('deadline');
    let asked = 0;
    const mem = () => {
      asked += 1;
      return new Promise<never>(() => {});
    };
    const { cycle } = await agentOf(pluginOf('vm', { mem }));
    const controller = new AbortController();

    const running = cycle({ signal: controller.signal });
    setImmediate(() => controller.abort(deadline));
    const polls = await running;

    expect(polls.get('hardware.memory.total')).toEqual({ readings: [], error: deadline });
    expect(polls.get('hardware.cpu.user')?.readings).toHaveLength(1);
    expect(asked).toBe(1);
  });

  it('does not ask again what still has not answered', async () => {
    let asked = 0;
    const mem = () => {
      asked += 1;
      return new Promise<never>(() => {});
    };
    const { cycle } = await agentOf(pluginOf('vm', { mem }));

    for (let count = 0; count < 3; count += 1) {
      const controller = new AbortController();
      const running = cycle({ signal: controller.signal });
      setImmediate(() => controller.abort(new Error('deadline')));
      await running;
    }

    expect(asked).toBe(1);
  });

  it('leaves out resources that are not this machine', async () => {
    const { cycle } = await agentOf(pluginOf('vm'));

    const polls = await cycle({ resources: ['cn1', 'snmp://192.0.2.1'] });

    const { readings, error } = polls.get('hardware.memory.total') ?? { readings: [] };
    expect(readings).toHaveLength(1);
    expect(codeOf(error)).toBe('ERR_POLL_PERMANENT');
    expect(error).toMatchObject({ resourceIds: ['snmp://192.0.2.1'] });
  });

  it('reads the machine that the tests run on', async () => {
    const { cycle } = await agentOf(plugin, fakeHost(hostname()));

    const read = volumes(await cycle());

    const total = Number(read[`${hostname()} hardware.memory.total`]);
    expect(total).toBeGreaterThan(0);
    expect(Number(read[`${hostname()} hardware.memory.used`])).toBeLessThanOrEqual(total);
    expect(read[`${hostname()} hardware.cpu.user`]).toBeTypeOf('bigint');
  });
});
