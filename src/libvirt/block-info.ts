import { workQueue } from '../util/work-queue.ts';
import { NoAnswerError } from './client.ts';
import { ConnectionError, isNoDomain, LibvirtError, UnreachableError, VIR_ERR } from './errors.ts';
import type { BlockInfo, DiskRef, Domain } from './inspector.ts';
import { blockInfo } from './procedures.ts';
import { mayHang, type StatsParts } from './stats-parts.ts';

/**
 * Asks for each disk by itself, the disks of one domain one after the other. A disk that fails costs only itself; a
 * domain that does not answer is quarantined.
 */
export async function readBlockInfo(
  parts: StatsParts,
  disks: readonly DiskRef[],
  signal: AbortSignal,
): Promise<ReadonlyMap<DiskRef, BlockInfo>> {
  const { bulk, quarantine, pace, troubles, log } = parts;
  const results = new Map<DiskRef, BlockInfo>();
  const stragglers: Promise<void>[] = [];
  let fatal: { readonly error: unknown } | undefined;
  let unasked = 0;

  /** One disk after the other; once nobody waits for one any more, the rest follows behind the queue's back. */
  async function read([disk, ...rest]: readonly DiskRef[]): Promise<void> {
    if (disk === undefined || fatal !== undefined || quarantine.has(disk.domain.uuid)) return;
    if (!mayHang(parts)) {
      unasked += rest.length + 1;
      return;
    }
    const onLate = () => quarantine.unhung(disk.domain.uuid);
    const { answer, patience } = bulk.call(blockInfo, disk, { ...pace.single, signal, onLate });
    const handled = answer.then(
      (info) => {
        results.set(disk, info);
        troubles.told(disk.domain, disk.device);
      },
      (error: unknown) => failed(disk, error),
    );
    const all = handled.then(() => read(rest));
    if (await patience) await all;
    else stragglers.push(all);
  }

  function failed({ domain, device }: DiskRef, error: unknown): void {
    const { uuid, name } = domain;
    if (error instanceof NoAnswerError) quarantine.hold(domain, true);
    else if (error instanceof ConnectionError || error instanceof UnreachableError || signal.aborted)
      fatal ??= { error };
    else if (isGone(error)) log.debug({ domain: uuid, name, device }, 'domain went away before its disk was read');
    else troubles.failed(domain, device, error);
  }

  await workQueue([...byDomain(disks).values()], () => parts.parallel, read);
  for (let one = stragglers.pop(); one !== undefined; one = stragglers.pop()) await one;
  if (fatal !== undefined) throw fatal.error;
  if (unasked > 0) log.debug({ disks: unasked }, 'disks are not asked for, because too many domains do not answer');
  return results;
}

function byDomain(disks: readonly DiskRef[]): ReadonlyMap<Domain, readonly DiskRef[]> {
  const lists = new Map<Domain, DiskRef[]>();
  for (const disk of disks) {
    const list = lists.get(disk.domain);
    if (list === undefined) lists.set(disk.domain, [disk]);
    else list.push(disk);
  }
  return lists;
}

/** Undefined, or stopped while the call was under way. */
function isGone(error: unknown): boolean {
  return isNoDomain(error) || (error instanceof LibvirtError && error.number === VIR_ERR.OPERATION_INVALID);
}
