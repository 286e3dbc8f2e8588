/** What meters are read from: an instance as a whole, its disks, its NICs. */
import type { BlockInfo, DiskStats, DomainStats, NicStats } from '../../libvirt/inspector.ts';
import type { PollContext } from '../../plugin.ts';
import type { Answer } from './compute.ts';
import type { Nic } from './devices.ts';
import type { DiskResource, Instance, InstanceResource, InstanceResources, NicResource } from './instance.ts';

/** How an instance is taken apart, into what is there already: it is done for each meter. */
export interface Split<S, R extends InstanceResource = InstanceResource> {
  resources(all: InstanceResources, stats: DomainStats): readonly R[];
  /** What was said of one of them; undefined where libvirt said nothing. */
  said(resource: R, instance: Instance, stats: DomainStats): S | undefined;
}

/** Meters that are read from the same things. Loads what it needs of an answer besides the statistics. */
export type Family<S, R extends InstanceResource = InstanceResource> = (
  answer: Answer,
  ctx: PollContext,
) => Split<S, R> | Promise<Split<S, R>>;

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

const instances: Split<InstanceSaid> = {
  resources: ({ whole }) => [whole],
  said: (_resource, instance, stats) => ({ instance, stats }),
};

const cpus: Split<InstanceSaid> = {
  ...instances,
  resources: (all, { vcpuCurrent }) => [all.withCpus(vcpuCurrent)],
};

const disks: Split<DiskStats, DiskResource> = {
  resources: (all) => all.disks,
  said: ({ device }, _instance, stats) => named(stats.disks, device),
};

const nics: Split<NicSaid, NicResource> = {
  resources: (all) => all.nics,
  said({ nic }, { domain }, { nics: said, monotonicTime }) {
    const stats = named(said, nic.tap);
    return stats && { nic, stats, boot: domain.id, at: monotonicTime };
  },
};

export const ofInstance: Family<InstanceSaid> = () => instances;

/** As `ofInstance`, with the number of vCPUs in the metadata. */
export const ofCpu: Family<InstanceSaid> = () => cpus;

export const ofDisk: Family<DiskStats, DiskResource> = () => disks;

export const ofDiskImage: Family<BlockInfo, DiskResource> = async (answer, ctx) => {
  const images = await answer.images(ctx);
  return { ...disks, said: ({ device }, { id }) => images.get(id)?.get(device) };
};

export const ofNic: Family<NicSaid, NicResource> = () => nics;

function named<T extends { readonly name?: string }>(list: readonly T[], name: string): T | undefined {
  for (const one of list) if (one.name === name) return one;
  return undefined;
}
