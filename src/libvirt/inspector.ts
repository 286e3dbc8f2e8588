/** What the hypervisor of this machine is asked for, whoever answers. */

/** A domain as of its last change. A changed domain is a new object, so facts derived from it can be kept beside it. */
export interface Domain {
  readonly uuid: string;
  readonly name: string;
  /** The id of the running domain, -1 when it is shut off. */
  readonly id: number;
  /** The whole domain XML. */
  readonly xml: string;
}

export interface VcpuStats {
  readonly time?: bigint;
  readonly wait?: bigint;
}

/** Counters of one interface under the name of its device on the host. */
export interface NicStats {
  readonly name?: string;
  readonly rxBytes?: bigint;
  readonly rxPackets?: bigint;
  readonly rxErrors?: bigint;
  readonly rxDrop?: bigint;
  readonly txBytes?: bigint;
  readonly txPackets?: bigint;
  readonly txErrors?: bigint;
  readonly txDrop?: bigint;
}

/** Counters and sizes of one disk under the name of its device in the guest; bytes and nanoseconds. */
export interface DiskStats {
  readonly name?: string;
  readonly readRequests?: bigint;
  readonly readBytes?: bigint;
  readonly readTimes?: bigint;
  readonly writeRequests?: bigint;
  readonly writeBytes?: bigint;
  readonly writeTimes?: bigint;
  readonly allocation?: bigint;
  readonly capacity?: bigint;
  readonly physical?: bigint;
}

/** What libvirt said of one domain. What it did not say is absent, never zero. */
export interface DomainStats {
  readonly state?: number;
  readonly reason?: number;
  /** What the whole domain used. Not asked for where {@link vcpus} tell all, since reading it is dear. */
  readonly cpuTime?: bigint;
  readonly vcpuCurrent?: number;
  readonly vcpuMaximum?: number;
  /** By vCPU number; holes where a vCPU is not plugged in. */
  readonly vcpus: readonly (VcpuStats | undefined)[];
  /** KiB by libvirt's own names: current, maximum, available, unused, usable, rss, swap_in, … */
  readonly balloon: Readonly<Record<string, bigint>>;
  readonly nics: readonly NicStats[];
  readonly disks: readonly DiskStats[];
  /** By libvirt's own names: instructions, cpu_cycles, cache_references, … */
  readonly perf: Readonly<Record<string, bigint>>;
  /** CLOCK_MONOTONIC seconds when the answer arrived. */
  readonly monotonicTime: number;
}

/** A disk of a domain, by its device in the guest. */
export interface DiskRef {
  readonly domain: Domain;
  readonly device: string;
}

/**
 * `virDomainGetBlockInfo` in bytes. For an active domain neither `allocation` nor `physical` is what the bulk
 * statistics say.
 */
export interface BlockInfo {
  readonly capacity: bigint;
  readonly allocation: bigint;
  readonly physical: bigint;
}

/** A domain that has started, or that has ended, with what was read of it while it was there. */
export interface DomainEdge {
  /**
   * `end` where it could be read when it was about to end. Where that was not possible, or told less than all, `last`
   * comes before or instead of it: what was read when it ran, at the time that the statistics say.
   */
  readonly kind: 'start' | 'last' | 'end';
  /** With the id and the XML that it had while it ran. */
  readonly domain: Domain;
  readonly stats: DomainStats;
}

export interface VirtInspector {
  /**
   * All domains, running or not. Kept current by lifecycle and device events: while nothing changes, no call is made.
   * Rejects with `ERR_SERVICE` when the hypervisor does not answer, never with an empty list. A domain that migrates to
   * this host is left out until it goes on here.
   */
  domains(signal: AbortSignal): Promise<readonly Domain[]>;
  /**
   * The statistics of these domains by UUID, in bulk. A domain that went away in between is missing. One that does not
   * answer has only what libvirt knows without asking it (state, cpu, interfaces) or is missing, and is named in a log
   * line when that begins and when it ends.
   *
   * `told` gets the same bit by bit, as soon as nothing better is to come of a domain: each domain once, and what came
   * before a failure, too. It does not throw. Who answers all at once need not call it.
   */
  stats(
    domains: readonly Domain[],
    signal: AbortSignal,
    told?: (some: ReadonlyMap<string, DomainStats>) => void,
  ): Promise<ReadonlyMap<string, DomainStats>>;
  /**
   * What the images of these disks occupy: one call for each, several in flight, so ask only for disks whose bulk
   * statistics changed. A disk that libvirt did not answer for is missing, as is one whose domain went away.
   */
  blockInfo(disks: readonly DiskRef[], signal: AbortSignal): Promise<ReadonlyMap<DiskRef, BlockInfo>>;
  /**
   * Tells of each domain that starts or ends until `signal` aborts. Domains that have started since are read between
   * the slots, so that something is known of those that end without an answer; of which nothing is known, the log
   * tells. Keeps the connection open meanwhile.
   */
  watch?(listener: (edge: DomainEdge) => void, signal: AbortSignal): void;
  /** Counts the connections made so far: what the driver did not support may be supported after it changed. */
  readonly connections: number;
  close(): Promise<void>;
}
