/** Domains on their way to this host: until one goes on here, the host that it comes from tells of it. */
import type { LibvirtClient } from './client.ts';
import { BY_MIGRATION, LIFECYCLE_EVENT, type LifecycleEvent } from './events.ts';
import type { Domain } from './inspector.ts';

export class Arrivals {
  readonly #arriving = new Set<string>();
  /** The connection that the events came by. */
  #client: LibvirtClient | undefined;

  note({ domain, event, detail }: LifecycleEvent, client: LibvirtClient): void {
    // What happened between two connections nobody knows: rather twice than never.
    if (client !== this.#client) this.#arriving.clear();
    this.#client = client;
    if (event === LIFECYCLE_EVENT.STARTED && detail === BY_MIGRATION) this.#arriving.add(domain.uuid);
    // A domain that was paused stays so, and a migration may fail.
    else this.#arriving.delete(domain.uuid);
  }

  /** The others; the same list where there are none of these. */
  without(domains: readonly Domain[], client: LibvirtClient | undefined): readonly Domain[] {
    if (this.#arriving.size === 0 || client !== this.#client) return domains;
    return domains.filter(({ uuid }) => !this.#arriving.has(uuid));
  }
}
