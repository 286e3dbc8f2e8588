import { describeError } from '../errors.ts';
import type { Logger } from '../plugin.ts';

export interface NamedDomain {
  readonly uuid: string;
  readonly name: string;
}

/** Which domains libvirt does not tell about as it should: one log line when that begins, one when it ends. */
export class DomainTroubles {
  readonly #log: Logger;
  /** By UUID, what libvirt said last about each part of a domain that it does not tell. */
  readonly #failures = new Map<string, Map<string, string>>();

  constructor(log: Logger) {
    this.#log = log;
  }

  /** libvirt refused to tell one part of it, `XML` say, or told nonsense. */
  failed(domain: NamedDomain, part: string, error: unknown): void {
    const text = describeError(error);
    const failures = this.#failures.get(domain.uuid) ?? new Map<string, string>();
    if (failures.get(part) === text) return;
    this.#failures.set(domain.uuid, failures.set(part, text));
    this.#log.warn({ ...named(domain), part, err: error }, 'libvirt does not tell about a domain');
  }

  told(domain: NamedDomain, part: string): void {
    if (this.#failures.get(domain.uuid)?.delete(part)) {
      this.#log.info({ ...named(domain), part }, 'libvirt tells about a domain again');
    }
  }

  /** The domain is gone. */
  forget(uuid: string): void {
    this.#failures.delete(uuid);
  }
}

/** How the log names a domain. */
export function named({ uuid, name }: NamedDomain): { readonly domain: string; readonly name: string } {
  return { domain: uuid, name };
}
