/** What the host meters read of this machine, whoever answers. */

/** CPU time of all processors since boot, in ticks of 10 ms. Guests' time is part of `user` and `nice`. */
export interface CpuTicks {
  readonly user: bigint;
  readonly nice: bigint;
  readonly system: bigint;
  readonly idle: bigint;
  readonly wait?: bigint;
  readonly interrupt?: bigint;
  readonly softInterrupt?: bigint;
  readonly steal?: bigint;
}

/** Bytes. */
export interface Memory {
  readonly total: number;
  readonly free: number;
  readonly buffers?: number;
  readonly cached?: number;
  /** Absent where there is no swap space. */
  readonly swap?: { readonly total: number; readonly free: number };
}

export interface FileSystem {
  readonly device: string;
  readonly path: string;
  readonly type: string;
  /** Bytes. */
  readonly total: bigint;
  readonly used: bigint;
}

/** Counters of one disk since boot. */
export interface Disk {
  readonly device: string;
  readonly readRequests: bigint;
  readonly readBytes: bigint;
  readonly writeRequests: bigint;
  readonly writeBytes: bigint;
}

/** Counters of one interface, and what is known of it. */
export interface NetworkInterface {
  readonly name: string;
  readonly incomingBytes: bigint;
  readonly outgoingBytes: bigint;
  readonly outgoingErrors: bigint;
  readonly mac?: string;
  /** Bytes a second. */
  readonly speed?: number;
  readonly ip?: string;
}

/** Datagrams of IPv4. */
export interface IpCounters {
  readonly incoming: bigint;
  readonly outgoing: bigint;
}

/** Blocks of 512 bytes. */
export interface BlockCounters {
  readonly incoming: bigint;
  readonly outgoing: bigint;
}

/**
 * Each method resolves to undefined, or to an empty list, where this machine does not say; it never makes up a zero.
 * None takes a signal: a call that hangs is left alone by its callers and shared by those who come later.
 */
export interface Machine {
  loadAverages(): Promise<readonly number[] | undefined>;
  cpu(): Promise<CpuTicks | undefined>;
  memory(): Promise<Memory | undefined>;
  fileSystems(): Promise<readonly FileSystem[]>;
  disks(): Promise<readonly Disk[]>;
  interfaces(): Promise<readonly NetworkInterface[]>;
  ip(): Promise<IpCounters | undefined>;
  blocks(): Promise<BlockCounters | undefined>;
}
