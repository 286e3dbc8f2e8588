import { describeError } from '../errors.ts';
import type { Logger } from '../plugin.ts';

export interface NamedDomain {
  readonly uuid: string;
  readonly name: string;
}

/** Which domains do not answer as they should: one log line when that begins, one when it ends. */
export class DomainTroubles {
  readonly #log: Logger;
  readonly #stuck = new Set<string>();
  /** By UUID, what libvirt said last about each part of a domain that it does not tell. */
  readonly #failures = new Map<string, Map<string, string>>();

  constructor(log: Logger) {
    this.#log = log;
  }

  isStuck(uuid: string): boolean {
    return this.#stuck.has(uuid);
  }

  /** Its monitor does not answer, or another job holds it for long. */
  stuck(domain: NamedDomain): void {
    if (this.#stuck.has(domain.uuid)) return;
    this.#stuck.add(domain.uuid);
    this.#log.warn(fields(domain), 'domain does not answer, its disk and memory statistics are missing until it does');
  }

  answered(domain: NamedDomain): void {
    if (this.#stuck.delete(domain.uuid)) this.#log.info(fields(domain), 'domain answers again');
  }

  /** libvirt refused to tell one part of it, `XML` say, or told nonsense. */
  failed(domain: NamedDomain, part: string, error: unknown): void {
    const text = describeError(error);
    const failures = this.#failures.get(domain.uuid) ?? new Map<string, string>();
    if (failures.get(part) === text) return;
    this.#failures.set(domain.uuid, failures.set(part, text));
    this.#log.warn({ ...fields(domain), part, err: error }, 'libvirt does not tell about a domain');
  }

  told(domain: NamedDomain, part: string): void {
    if (this.#failures.get(domain.uuid)?.delete(part)) {
      this.#log.info({ ...fields(domain), part }, 'libvirt tells about a domain again');
    }
  }

  /** The domain is gone. */
  forget(uuid: string): void {
    this.#stuck.delete(uuid);
    this.#failures.delete(uuid);
  }
}

function fields({ uuid, name }: NamedDomain): object {
  return { domain: uuid, name };
}
