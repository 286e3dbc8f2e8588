/** What is asked in one call for statistics, and how. */
import { PermanentPollError } from '../errors.ts';
import { SHUT_OFF } from './domain-state.ts';
import type { Domain, DomainStats } from './inspector.ts';
import { vcpuTime } from './vcpu-time.ts';

/**
 * `wait` for the domains, `nowait` for one that somebody else has the monitor of but else wait all the same, or leave
 * the domains alone and take what libvirt knows by itself.
 */
type Manner = 'wait' | 'nowait' | 'alone';

export interface Batch {
  readonly domains: readonly Domain[];
  readonly manner: Manner;
  /** The domains are in quarantine. */
  readonly apart: boolean;
  /** Whether the time of whole domains is asked for, where their vCPUs do not tell it. */
  readonly withCpu?: true;
  /** What is not answered now is not asked again in this cycle. */
  readonly last?: true;
  /** Much shorter than the others: how long it takes says nothing about them. */
  readonly short?: true;
}

/** Domains in one call at most: it stays far below its deadline and the largest message, however many there are. */
const BATCH_MAX = 50;
/** In the first call of all. */
const BATCH_FIRST = 4;

export function alone(domains: readonly Domain[]): Batch {
  return { domains, manner: 'alone', apart: true };
}

/** Disjoint lists of about the same length, at least so many where there are enough domains. */
export function split(domains: readonly Domain[], least = 1): readonly (readonly Domain[])[] {
  const count = Math.max(Math.min(least, domains.length), Math.ceil(domains.length / BATCH_MAX));
  return Array.from({ length: count }, (_, index) =>
    domains.slice((index * domains.length) / count, ((index + 1) * domains.length) / count),
  );
}

/** The calls for domains that are asked in bulk, with so many in flight. */
export function together(domains: readonly Domain[], parallel: number): readonly Batch[] {
  return split(domains, parallel).map((list): Batch => ({ domains: list, manner: 'wait', apart: false }));
}

/** The same with a short one in front, whose answer is under way to the outputs while libvirt works on the others. */
export function shortFirst([first, ...others]: readonly Batch[]): readonly Batch[] {
  if (first === undefined) return [];
  const { domains } = first;
  if (domains.length < 2 * BATCH_FIRST) return [first, ...others];
  const short: Batch = { ...first, domains: domains.slice(0, BATCH_FIRST), short: true };
  return [short, ...others, { ...first, domains: domains.slice(BATCH_FIRST) }];
}

/** What the vCPUs used is not known here, and the domain's time must not pass for it: the two are far apart. */
export function withoutCpuTime(stats: DomainStats): DomainStats {
  const { cpuTime: _, ...rest } = stats;
  return rest;
}

/** Whether it runs, and nothing is known of the CPU time that it used. */
export function lacksCpuTime(stats: DomainStats): boolean {
  return stats.cpuTime === undefined && stats.state !== SHUT_OFF && vcpuTime(stats) === undefined;
}

export function unsupported(domains: readonly Domain[], cause: unknown): PermanentPollError {
  return new PermanentPollError(
    'the libvirt driver has no statistics in bulk',
    domains.map((domain) => domain.uuid),
    { cause },
  );
}
