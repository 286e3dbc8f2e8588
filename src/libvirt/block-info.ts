import type { Logger } from '../plugin.ts';
import { workQueue } from '../util/work-queue.ts';
import { type LibvirtClient, NoAnswerError } from './client.ts';
import { ConnectionError, isNoDomain, LibvirtError, VIR_ERR } from './errors.ts';
import type { BlockInfo, DiskRef } from './inspector.ts';
import { blockInfo } from './procedures.ts';
import { assertAlive, freeSlots } from './request-slots.ts';
import type { DomainTroubles } from './troubles.ts';

export interface BlockInfoOptions {
  readonly timeout: number;
  readonly parallel: number;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

/** Asks for each disk by itself. A disk that fails costs only itself; one domain that hangs costs one deadline. */
export async function readBlockInfo(
  client: LibvirtClient,
  disks: readonly DiskRef[],
  troubles: DomainTroubles,
  { timeout, parallel, log, signal }: BlockInfoOptions,
): Promise<ReadonlyMap<DiskRef, BlockInfo>> {
  const results = new Map<DiskRef, BlockInfo>();
  await workQueue(
    disks,
    () => freeSlots(client, parallel),
    async (disk) => {
      const { domain, device } = disk;
      if (troubles.isStuck(domain.uuid)) return;
      try {
        results.set(disk, await client.call(blockInfo, disk, { timeout, signal }));
        troubles.told(domain, device);
      } catch (error) {
        if (error instanceof ConnectionError || signal.aborted) throw error;
        if (error instanceof NoAnswerError) {
          await assertAlive(client, error, { timeout, signal });
          troubles.stuck(domain);
        } else if (isGone(error)) {
          log.debug({ domain: domain.uuid, name: domain.name, device }, 'domain went away before its disk was read');
        } else {
          troubles.failed(domain, device, error);
        }
      }
    },
  );
  return results;
}

/** Undefined, or stopped while the call was under way. */
function isGone(error: unknown): boolean {
  return isNoDomain(error) || (error instanceof LibvirtError && error.number === VIR_ERR.OPERATION_INVALID);
}
