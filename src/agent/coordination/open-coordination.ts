import { randomUUID } from 'node:crypto';
import type { Logger } from '../../plugin.ts';
import { systemClock } from '../../util/clock.ts';
import { createLeases, type Lease } from '../../util/leases.ts';
import { Membership } from './membership.ts';
import { openBackend } from './open-backend.ts';

/** Throws {@link ConfigError} where the URL is wrong; does no I/O. */
export type OpenCoordination = (url: string) => Lease<Membership>;

/** Opens the coordination of one configuration after another; of one URL they share the membership. */
export function coordinationOpener(log: Logger): OpenCoordination {
  const member = randomUUID();
  const lease = createLeases<Membership>((membership) => membership.close());
  return (url) =>
    lease(url, () => new Membership({ backend: openBackend(url, member), member, clock: systemClock, log }));
}
