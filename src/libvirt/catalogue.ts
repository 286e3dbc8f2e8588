import type { Logger } from '../plugin.ts';
import { forEachLimit } from '../util/map-limit.ts';
import { NoAnswerError } from './client.ts';
import { ConnectionError, isNoDomain } from './errors.ts';
import type { Domain } from './inspector.ts';
import { domainXml, listAllDomains } from './procedures.ts';
import type { DomainRef } from './rpc.ts';
import type { Session } from './session.ts';
import type { DomainTroubles } from './troubles.ts';

export interface CatalogueOptions {
  readonly timeout: number;
  readonly parallel: number;
  readonly log: Logger;
}

/** Milliseconds after which all XML is read again where no events tell of changes. */
const XML_AGE_MAX = 60_000;
/** Reads without an answer after which it is not the domains' fault. */
const UNANSWERED_MAX = 3;

/** All domains with their XML, read once for each connection and then only where something changed. */
export class DomainCatalogue {
  readonly #options: CatalogueOptions;
  readonly #troubles: DomainTroubles;
  readonly #domains = new Map<string, Domain>();
  /** Domains whose XML has to be read. */
  #changed = new Map<string, DomainRef>();
  #list: readonly Domain[] = [];
  /** The connection that the list is from. */
  #session: Session | undefined;
  #xmlReadAt = 0;

  constructor(troubles: DomainTroubles, options: CatalogueOptions) {
    this.#troubles = troubles;
    this.#options = options;
  }

  /** Has the domain's XML read again at the next refresh. */
  noteChange(domain: DomainRef): void {
    this.#changed.set(domain.uuid, domain);
  }

  /** The domain as it was read last, if it was read in this life of it. */
  current({ uuid, id }: DomainRef): Domain | undefined {
    const known = this.#domains.get(uuid);
    return known?.id === id ? known : undefined;
  }

  /** The domains as they are now. Makes no call when there was no change since the last time. */
  async refresh(session: Session): Promise<readonly Domain[]> {
    if (session !== this.#session || !session.events) await this.#readList(session);
    if (this.#changed.size > 0) await this.#readChanged(session);
    return this.#list;
  }

  async #readList(session: Session): Promise<void> {
    const refs = await session.client.call(listAllDomains, undefined, { timeout: this.#options.timeout });
    const present = new Set(refs.map((ref) => ref.uuid));
    for (const uuid of this.#domains.keys()) if (!present.has(uuid)) this.#remove(uuid);
    this.#list = [...this.#domains.values()];
    const all = session !== this.#session || performance.now() - this.#xmlReadAt > XML_AGE_MAX;
    if (all) this.#xmlReadAt = performance.now();
    for (const ref of refs) if (all || !this.#isCurrent(ref)) this.noteChange(ref);
    this.#session = session;
  }

  #isCurrent(ref: DomainRef): boolean {
    const known = this.#domains.get(ref.uuid);
    return known !== undefined && known.id === ref.id && known.name === ref.name;
  }

  async #readChanged(session: Session): Promise<void> {
    const refs = [...this.#changed.values()];
    this.#changed = new Map();
    let unanswered = 0;
    let fatal: unknown;
    await forEachLimit(refs, this.#options.parallel, async (ref) => {
      try {
        if (fatal === undefined) return await this.#read(session, ref);
      } catch (error) {
        if (error instanceof NoAnswerError) unanswered++;
        if (error instanceof ConnectionError || unanswered >= UNANSWERED_MAX) fatal = error;
        else this.#troubles.failed(ref, 'XML', error);
      }
      if (!this.#changed.has(ref.uuid)) this.noteChange(ref);
    });
    this.#list = [...this.#domains.values()];
    if (fatal !== undefined) throw fatal;
  }

  async #read(session: Session, ref: DomainRef): Promise<void> {
    const xml = await session.client
      .call(domainXml, ref, { timeout: this.#options.timeout })
      .catch((error: unknown) => {
        if (isNoDomain(error)) return undefined;
        throw error;
      });
    if (xml === undefined) return this.#remove(ref.uuid);
    this.#troubles.told(ref, 'XML');
    const id = idInXml(xml);
    const known = this.#domains.get(ref.uuid);
    if (known?.xml === xml && known.name === ref.name && known.id === id) return;
    this.#domains.set(ref.uuid, { uuid: ref.uuid, name: ref.name, id, xml });
  }

  #remove(uuid: string): void {
    const domain = this.#domains.get(uuid);
    this.#domains.delete(uuid);
    this.#troubles.forget(uuid);
    if (domain !== undefined) this.#options.log.debug({ domain: uuid, name: domain.name }, 'domain is gone');
  }
}

/** The id that belongs to this XML, which an event or a list may have missed by a moment. */
function idInXml(xml: string): number {
  const digits = /^\s*<domain\b[^>]*?\sid=['"](\d{1,9})['"]/.exec(xml)?.[1];
  return digits === undefined ? -1 : Number(digits);
}
