/** The golden data: what libvirt said of 22 domains, and what the real agent sent for it. */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import type { BlockInfo, Domain, DomainStats } from '../../../src/libvirt/inspector.ts';

const folder = new URL('../../fixtures/compute/golden/', import.meta.url);

export interface GoldenSample {
  readonly counter_name: string;
  readonly counter_type: string;
  readonly counter_unit: string;
  readonly counter_volume: number;
  readonly user_id: string;
  readonly project_id: string;
  readonly resource_id: string;
  readonly resource_metadata: Readonly<Record<string, unknown>>;
}

type Facts<T> = T | { readonly error: unknown };

interface DomainFacts {
  readonly name: string;
  readonly uuid: string;
  readonly domstats: Readonly<Record<string, number | string>>;
  readonly disks: Readonly<Record<string, { readonly blockInfo: Facts<readonly [number, number, number]> }>>;
}

function readJson(name: string): unknown {
  return JSON.parse(gunzipSync(readFileSync(new URL(`${name}.json.gz`, folder))).toString('utf8'));
}

export function goldenSamples(): readonly GoldenSample[] {
  return readJson('master-default.samples') as GoldenSample[];
}

function goldenXml(name: string): string {
  return readFileSync(new URL(`xml/${name}.xml`, folder), 'utf8');
}

export interface GoldenHypervisor {
  readonly domains: Domain[];
  readonly stats: ReadonlyMap<string, DomainStats>;
  readonly images: ReadonlyMap<string, BlockInfo>;
}

/** What libvirt said before or after the cycle whose samples are here. */
export function goldenFacts(when: 'before' | 'after', monotonicTime: number): GoldenHypervisor {
  const { domains } = readJson(`facts-${when}`) as { readonly domains: readonly DomainFacts[] };
  const images = domains.flatMap(({ uuid, disks }) =>
    Object.entries(disks).flatMap(([device, { blockInfo }]): [string, BlockInfo][] => {
      if ('error' in blockInfo) return [];
      const [capacity, allocation, physical] = blockInfo;
      const info = { capacity: BigInt(capacity), allocation: BigInt(allocation), physical: BigInt(physical) };
      return [[`${uuid}-${device}`, info]];
    }),
  );
  return {
    domains: domains.map(({ name, uuid }) => {
      const xml = goldenXml(name);
      return { name, uuid, xml, id: Number(/^<domain [^>]*\bid='(\d+)'/.exec(xml)?.[1] ?? -1) };
    }),
    stats: new Map(domains.map(({ uuid, domstats }) => [uuid, statsOf(domstats, monotonicTime)])),
    images: new Map(images),
  };
}

/** The flat typed parameters of a bulk reply as our inspector tells them. */
function statsOf(said: Readonly<Record<string, number | string>>, monotonicTime: number): DomainStats {
  const big = (key: string) => (typeof said[key] === 'number' ? BigInt(said[key]) : undefined);
  const name = (key: string) => (typeof said[key] === 'string' ? said[key] : undefined);
  const count = (key: string) => Array.from({ length: Number(said[key] ?? 0) }, (_, index) => index);
  const group = (prefix: string) =>
    Object.fromEntries(
      Object.keys(said)
        .filter((key) => key.startsWith(prefix))
        .map((key) => [key.slice(prefix.length), big(key)] as const),
    );
  return defined({
    state: said['state.state'],
    reason: said['state.reason'],
    cpuTime: big('cpu.time'),
    vcpuCurrent: said['vcpu.current'],
    vcpuMaximum: said['vcpu.maximum'],
    vcpus: count('vcpu.maximum').map((n) =>
      `vcpu.${n}.state` in said ? defined({ time: big(`vcpu.${n}.time`), wait: big(`vcpu.${n}.wait`) }) : undefined,
    ),
    balloon: group('balloon.'),
    perf: group('perf.'),
    nics: count('net.count').map((n) =>
      defined({
        name: name(`net.${n}.name`),
        rxBytes: big(`net.${n}.rx.bytes`),
        rxPackets: big(`net.${n}.rx.pkts`),
        rxErrors: big(`net.${n}.rx.errs`),
        rxDrop: big(`net.${n}.rx.drop`),
        txBytes: big(`net.${n}.tx.bytes`),
        txPackets: big(`net.${n}.tx.pkts`),
        txErrors: big(`net.${n}.tx.errs`),
        txDrop: big(`net.${n}.tx.drop`),
      }),
    ),
    disks: count('block.count').map((n) =>
      defined({
        name: name(`block.${n}.name`),
        readRequests: big(`block.${n}.rd.reqs`),
        readBytes: big(`block.${n}.rd.bytes`),
        readTimes: big(`block.${n}.rd.times`),
        writeRequests: big(`block.${n}.wr.reqs`),
        writeBytes: big(`block.${n}.wr.bytes`),
        writeTimes: big(`block.${n}.wr.times`),
        allocation: big(`block.${n}.allocation`),
        capacity: big(`block.${n}.capacity`),
        physical: big(`block.${n}.physical`),
      }),
    ),
    monotonicTime,
  }) as unknown as DomainStats;
}

function defined<T extends object>(value: T): object {
  return Object.fromEntries(Object.entries(value).filter(([, item]) => item !== undefined));
}
