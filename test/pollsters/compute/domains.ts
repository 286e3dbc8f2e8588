/** Domains and statistics for tests, with the parts that a test is about as XML text. */
import type { Domain, DomainStats } from '../../../src/libvirt/inspector.ts';

const OWNER = '<n:owner><n:user uuid="user-1">alice</n:user><n:project uuid="project-1">demo</n:project></n:owner>';
const FLAVOR =
  '<n:flavor name="m1.tiny" id="7"><n:memory>512</n:memory><n:disk>20</n:disk><n:swap>0</n:swap>' +
  '<n:ephemeral>5</n:ephemeral><n:vcpus>2</n:vcpus></n:flavor>';
const DISK = "<disk type='file'><source file='/images/vda'/><target dev='vda'/></disk>";
const NIC =
  "<interface type='bridge'><mac address='fa:16:3e:00:00:01'/><source bridge='br0'/><target dev='tap1'/></interface>";

export interface NovaParts {
  readonly version?: string;
  readonly name?: string;
  readonly flavor?: string;
  readonly owner?: string;
  /** Whatever else stands in the metadata. */
  readonly more?: string;
}

export function novaXml({
  version = '1.1',
  name = '<n:name>web</n:name>',
  flavor = FLAVOR,
  owner = OWNER,
  more = '',
}: NovaParts): string {
  return `<n:instance xmlns:n="http://openstack.org/xmlns/libvirt/nova/${version}">${name}${flavor}${owner}${more}</n:instance>`;
}

export interface DomainParts {
  readonly uuid?: string;
  readonly name?: string;
  readonly id?: number;
  /** The content of `<metadata>`. */
  readonly metadata?: string;
  readonly os?: string;
  readonly devices?: string;
}

export function domainOf(parts: DomainParts = {}): Domain {
  const { uuid = 'uuid-1', name = 'instance-1', id = 1, metadata = novaXml({}) } = parts;
  const { os = "<type arch='x86_64' machine='pc'>hvm</type>", devices = `${DISK}${NIC}<memballoon model='virtio'/>` } =
    parts;
  const xml = `<domain type='kvm' id='${id}'><name>${name}</name><metadata>${metadata}</metadata><os>${os}</os><devices>${devices}</devices></domain>`;
  return { uuid, name, id, xml };
}

/** What libvirt says of the domain of `domainOf` when it runs. */
export function statsOf(changes: Partial<DomainStats> = {}): DomainStats {
  return {
    state: 1,
    reason: 1,
    cpuTime: 900n,
    vcpuCurrent: 2,
    vcpuMaximum: 2,
    vcpus: [
      { time: 100n, wait: 10n },
      { time: 200n, wait: 20n },
    ],
    balloon: { current: 524288n, maximum: 1048576n, rss: 65536n },
    nics: [
      {
        name: 'tap1',
        rxBytes: 1000n,
        rxPackets: 10n,
        rxErrors: 1n,
        rxDrop: 2n,
        txBytes: 500n,
        txPackets: 5n,
        txErrors: 3n,
        txDrop: 4n,
      },
    ],
    disks: [
      {
        name: 'vda',
        readRequests: 11n,
        readBytes: 12n,
        readTimes: 13n,
        writeRequests: 14n,
        writeBytes: 15n,
        writeTimes: 16n,
        allocation: 17n,
        capacity: 18n,
        physical: 19n,
      },
    ],
    perf: {},
    monotonicTime: 100,
    ...changes,
  };
}
