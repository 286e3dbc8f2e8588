/** What is known of network interfaces and seldom changes, from `/sys/class/net`. */
import type { NetworkInterfaceInfo } from 'node:os';

export interface InterfaceFacts {
  readonly mac?: string;
  /** Bytes a second. */
  readonly speed?: number;
  readonly ip?: string;
}

export interface FactSources {
  /** The text of a file under `/sys`, undefined where it cannot be read. */
  readSys(path: string): Promise<string | undefined>;
  networkInterfaces(): NodeJS.Dict<NetworkInterfaceInfo[]>;
  /** Seconds on a clock that never steps. */
  now(): number;
}

/**
 * The kernel answers these under a lock that plugging guests' interfaces holds too, so they are not asked every cycle.
 */
const REFRESH_SECONDS = 60;

const BYTES_IN_MEGABIT = 125_000;

export function addressOf(infos: readonly NetworkInterfaceInfo[] | undefined): string | undefined {
  return (infos?.find(({ family }) => family === 'IPv4') ?? infos?.[0])?.address;
}

export function createInterfaceFacts(sources: FactSources) {
  let known = new Map<string, InterfaceFacts>();
  let refreshedAt = Number.NEGATIVE_INFINITY;

  async function read(name: string, ip: string | undefined): Promise<[string, InterfaceFacts]> {
    const [mac, megabits] = await Promise.all([
      sources.readSys(`/sys/class/net/${name}/address`),
      sources.readSys(`/sys/class/net/${name}/speed`),
    ]);
    // -1, or an error, where the link is down or has no speed.
    const speed = Number(megabits?.trim() ?? Number.NaN);
    const facts = {
      ...(mac !== undefined && mac.trim() !== '' && { mac: mac.trim() }),
      ...(speed > 0 && { speed: speed * BYTES_IN_MEGABIT }),
      ...(ip !== undefined && { ip }),
    };
    return [name, facts];
  }

  return async (names: readonly string[]): Promise<ReadonlyMap<string, InterfaceFacts>> => {
    const fresh = sources.now() - refreshedAt < REFRESH_SECONDS && names.every((name) => known.has(name));
    if (!fresh) {
      const addresses = sources.networkInterfaces();
      known = new Map(await Promise.all(names.map((name) => read(name, addressOf(addresses[name])))));
      refreshedAt = sources.now();
    }
    return known;
  };
}
