import type { Logger } from '../plugin.ts';
import { CallPool, type CallPoolOptions } from './call-pool.ts';
import type { Domain } from './inspector.ts';
import { Pace } from './pace.ts';
import { probeDomain } from './probe.ts';
import { Quarantine } from './quarantine.ts';
import { HUNG_MAX } from './request-slots.ts';
import type { DomainTroubles } from './troubles.ts';

export interface StatsOptions extends CallPoolOptions {
  /** Calls in flight at once. */
  readonly parallel: number;
  /** Milliseconds by which domains that do not answer may delay the others. */
  readonly delay: number;
  readonly log: Logger;
  readonly troubles: DomainTroubles;
  /** The domain is not what it was when it was listed. */
  readonly onChanged: (domain: Domain) => void;
}

/** What the calls that a domain may fail to answer have in common. */
export interface StatsParts extends StatsOptions {
  /** For the domains that answer as far as anybody knows. */
  readonly bulk: CallPool;
  /** For those in quarantine. */
  readonly apart: CallPool;
  readonly quarantine: Quarantine;
  readonly pace: Pace;
  /** Whether the time of whole domains is asked for at once, because most of them do not tell that of their vCPUs. */
  withCpu: boolean;
  /** Calls that hang in libvirt now. */
  hung(): number;
  close(): Promise<void>;
}

export function createStatsParts(options: StatsOptions): StatsParts {
  const bulk = new CallPool(options);
  const apart = new CallPool(options);
  const quarantine = new Quarantine({ log: options.log, probe: (domain) => void probeDomain(parts, domain) });
  const parts: StatsParts = {
    ...options,
    bulk,
    apart,
    quarantine,
    pace: new Pace(options.delay),
    withCpu: false,
    hung: () => bulk.hung + apart.hung,
    async close() {
      await Promise.all([bulk.close(), apart.close()]);
    },
  };
  return parts;
}

/** Whether one more call may be made that could hang. */
export function mayHang(parts: StatsParts, most = HUNG_MAX): boolean {
  return parts.hung() < most;
}
