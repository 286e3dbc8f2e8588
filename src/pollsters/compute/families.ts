/** What meters are read from: an instance as a whole, its disks, its NICs. */
import type { BlockInfo, DiskStats, DomainStats, NicStats } from '../../libvirt/inspector.ts';
import type { Metadata, PollContext } from '../../plugin.ts';
import type { Answer } from './compute.ts';
import type { Nic } from './devices.ts';
import type { Instance } from './instance.ts';

/** One resource of an instance, with what was said of it; undefined where libvirt said nothing. */
interface Part<S> {
  readonly resourceId: string;
  readonly metadata: Metadata;
  readonly said: S | undefined;
}

/** Takes an instance apart. `state` is the one of its statistics. */
export type Split<S> = (instance: Instance, stats: DomainStats, state: number) => readonly Part<S>[];

/** Meters that are read from the same things. Loads what it needs of an answer besides the statistics. */
export type Family<S> = (answer: Answer, ctx: PollContext) => Split<S> | Promise<Split<S>>;

export interface InstanceSaid {
  readonly instance: Instance;
  readonly stats: DomainStats;
}

export interface NicSaid {
  readonly nic: Nic;
  readonly stats: NicStats;
  /** The domain's id, which is another after each start. */
  readonly boot: number;
  readonly at: number;
}

export const ofInstance: Family<InstanceSaid> = () => (instance, stats, state) => [
  { resourceId: instance.id, metadata: instance.metadata(state).base, said: { instance, stats } },
];

/** As `ofInstance`, with the number of vCPUs in the metadata. */
export const ofCpu: Family<InstanceSaid> = () => (instance, stats, state) => [
  { resourceId: instance.id, metadata: instance.metadata(state).cpu(stats.vcpuCurrent), said: { instance, stats } },
];

export const ofDisk: Family<DiskStats> = () => (instance, stats, state) =>
  instance.metadata(state).disks.map(({ device, resourceId, metadata }) => ({
    resourceId,
    metadata,
    said: stats.disks.find(({ name }) => name === device),
  }));

export const ofDiskImage: Family<BlockInfo> = async (answer, ctx) => {
  const images = await answer.images(ctx);
  return (instance, _stats, state) =>
    instance.metadata(state).disks.map(({ device, resourceId, metadata }) => ({
      resourceId,
      metadata,
      said: images.get(instance.id)?.get(device),
    }));
};

export const ofNic: Family<NicSaid> = () => (instance, stats, state) =>
  instance.metadata(state).nics.map(({ nic, resourceId, metadata }) => {
    const found = stats.nics.find(({ name }) => name === nic.tap);
    const said = found && { nic, stats: found, boot: instance.domain.id, at: stats.monotonicTime };
    return { resourceId, metadata, said };
  });
