/** Domains as Nova defines them, for the fake libvirtd. */
import type { FakeDomain, ParamValue } from './fake-libvirtd-wire.ts';

const OWNER = 'a1f4684e58bd4c88aefd2ecb0783b497';
const PROJECT = 'd99c829753f64057bc0f2030da309943';
const IMAGE = 'bdaf114a-35e9-4163-accd-226d5944bf11';
const FLAVOR = 'eba4213d-3c6c-4b5f-8158-dd0022d71d62';

/** A running instance with Nova's metadata, one vCPU, two disks and two interfaces, whose counters move. */
export function novaDomain(index: number): FakeDomain {
  const hex = index.toString(16);
  const uuid = `00000000-0000-4000-8000-${hex.padStart(12, '0')}`;
  const name = `instance-${hex.padStart(8, '0')}`;
  const taps = [0, 1].map((nic) => `tap${hex.padStart(8, '0')}-${nic}a`);
  const id = index + 1;
  return { uuid, name, id, xml: xmlOf({ uuid, name, id, taps, index }), ...statsOf(index, taps) };
}

interface Names {
  readonly uuid: string;
  readonly name: string;
  readonly id: number;
  readonly taps: readonly string[];
  readonly index: number;
}

function xmlOf({ uuid, name, id, taps, index }: Names): string {
  const disks = ['vda', 'vdb'].map(
    (device) => `<disk type='file' device='disk'><driver name='qemu' type='qcow2' cache='none'/>
      <source file='/var/lib/nova/instances/${uuid}/${device}'/><target dev='${device}' bus='virtio'/></disk>`,
  );
  const nics = taps.map(
    (tap, nic) => `<interface type='bridge'><mac address='fa:16:${macTail(2 * index + nic)}'/><source bridge='br-int'/>
      <virtualport type='openvswitch'><parameters interfaceid='${uuid.slice(0, 35)}${nic}'/></virtualport>
      <target dev='${tap}'/><model type='virtio'/></interface>`,
  );
  return `<domain type='kvm' id='${id}'><name>${name}</name><uuid>${uuid}</uuid>
    <metadata><nova:instance xmlns:nova="http://openstack.org/xmlns/libvirt/nova/1.1">
      <nova:package version="32.1.0"/><nova:name>vm-${index}</nova:name>
      <nova:creationTime>2026-07-01 10:00:00</nova:creationTime>
      <nova:flavor name="m1.small" id="${FLAVOR}"><nova:memory>2048</nova:memory><nova:disk>20</nova:disk>
        <nova:swap>0</nova:swap><nova:ephemeral>0</nova:ephemeral><nova:vcpus>1</nova:vcpus>
        <nova:extraSpecs><nova:extraSpec name="hw:cpu_policy">shared</nova:extraSpec></nova:extraSpecs></nova:flavor>
      <nova:image uuid="${IMAGE}"><nova:containerFormat>bare</nova:containerFormat>
        <nova:diskFormat>qcow2</nova:diskFormat><nova:minDisk>1</nova:minDisk><nova:minRam>0</nova:minRam>
        <nova:properties><nova:property name="os_distro">debian</nova:property></nova:properties></nova:image>
      <nova:owner><nova:user uuid="${OWNER}">alice</nova:user><nova:project uuid="${PROJECT}">demo</nova:project></nova:owner>
      <nova:root type="image" uuid="${IMAGE}"/>
    </nova:instance></metadata>
    <memory unit='KiB'>2097152</memory><vcpu placement='static'>1</vcpu>
    <os><type arch='x86_64' machine='pc-q35-9.0'>hvm</type><boot dev='hd'/></os>
    <devices>${disks.join('')}${nics.join('')}<memballoon model='virtio'><stats period='10'/></memballoon></devices>
  </domain>`;
}

function macTail(number: number): string {
  return [24, 16, 8, 0].map((shift) => ((number >>> shift) & 0xff).toString(16).padStart(2, '0')).join(':');
}

/** The parameters that QEMU's driver of libvirt 9 tells. */
function statsOf(index: number, taps: readonly string[]): Pick<FakeDomain, 'stats' | 'growth'> {
  const base = BigInt(index) * 1000n;
  const stats: Record<string, ParamValue> = { 'state.state': 1, 'state.reason': 1 };
  const growth: Record<string, bigint> = {};
  function counter(name: string, value: bigint, step: bigint): void {
    stats[name] = value + base;
    growth[name] = step;
  }
  counter('cpu.time', 4_000_000_000n, 20_000_000n);
  counter('cpu.user', 300_000_000n, 2_000_000n);
  counter('cpu.system', 200_000_000n, 1_000_000n);
  stats['cpu.cache.monitor.count'] = 0;
  const balloon = { current: 2_097_152n, maximum: 2_097_152n, swap_in: 0n, swap_out: 0n, major_fault: 300n };
  const guest = { minor_fault: 90_000n, unused: 1_500_000n, available: 2_000_000n, usable: 1_700_000n, rss: 800_000n };
  for (const [name, value] of Object.entries({ ...balloon, ...guest })) stats[`balloon.${name}`] = value;
  Object.assign(stats, { 'vcpu.current': 1, 'vcpu.maximum': 1, 'vcpu.0.state': 1 });
  counter('vcpu.0.time', 3_900_000_000n, 19_000_000n);
  counter('vcpu.0.wait', 1_000_000n, 10_000n);
  counter('vcpu.0.delay', 2_000_000n, 20_000n);
  stats['vcpu.0.halted'] = false;
  stats['net.count'] = taps.length;
  taps.forEach((tap, nic) => {
    stats[`net.${nic}.name`] = tap;
    for (const way of ['rx', 'tx']) {
      counter(`net.${nic}.${way}.bytes`, 1_000_000n, 15_000n);
      counter(`net.${nic}.${way}.pkts`, 10_000n, 40n);
      counter(`net.${nic}.${way}.errs`, 0n, 0n);
      counter(`net.${nic}.${way}.drop`, 0n, 0n);
    }
  });
  stats['block.count'] = 2;
  ['vda', 'vdb'].forEach((device, disk) => {
    stats[`block.${disk}.name`] = device;
    stats[`block.${disk}.path`] = `/var/lib/nova/instances/${index}/${device}`;
    stats[`block.${disk}.backingIndex`] = disk + 1;
    for (const way of ['rd', 'wr']) {
      counter(`block.${disk}.${way}.reqs`, 9_000n, 12n);
      counter(`block.${disk}.${way}.bytes`, 80_000_000n, 49_152n);
      counter(`block.${disk}.${way}.times`, 5_000_000n, 60_000n);
    }
    counter(`block.${disk}.fl.reqs`, 100n, 1n);
    counter(`block.${disk}.fl.times`, 100_000n, 1_000n);
    Object.assign(stats, {
      [`block.${disk}.allocation`]: 1_000_000_000n,
      [`block.${disk}.capacity`]: 21_474_836_480n,
      [`block.${disk}.physical`]: 1_000_100_000n,
    });
  });
  return { stats, growth };
}
