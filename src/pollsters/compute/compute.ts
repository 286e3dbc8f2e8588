/** The instances of this host and what libvirt says of them, asked for once per cycle for all pollsters. */
import { describeError } from '../../errors.ts';
import type { BlockInfo, Domain, DomainStats } from '../../libvirt/inspector.ts';
import type { Host, PollContext } from '../../plugin.ts';
import { createImageSizes, type ImageSizes } from './image-sizes.ts';
import { createInstance, type Instance, type NovaLookup } from './instance.ts';
import { findNovaElement } from './nova-metadata.ts';
import { parseXml } from './xml.ts';

export interface Compute {
  readonly reportStopped: boolean;
  instances(ctx: PollContext): Promise<readonly Instance[]>;
  stats(ctx: PollContext): Promise<ReadonlyMap<string, DomainStats>>;
  /** What the disks' images occupy, by instance and device. */
  images(ctx: PollContext): Promise<ReadonlyMap<string, ReadonlyMap<string, BlockInfo>>>;
}

export function createCompute(host: Host, nova: NovaLookup): Compute {
  const { reportStoppedInstanceMetrics: reportStopped } = host.config.compute;
  const inspector = host.inspector();
  const sizes: ImageSizes = createImageSizes(inspector, reportStopped);
  /** null for a domain that is left out. A changed domain is another object, so this is worked out once per change. */
  const known = new WeakMap<Domain, Instance | null>();
  const versionsWarnedOf = new Set<string>();

  function instanceOf(domain: Domain, log: PollContext['log']): Instance | null {
    const { name, uuid } = domain;
    try {
      const root = parseXml(domain.xml);
      const found = findNovaElement(root);
      if (found === undefined) {
        log.debug({ domain: name, uuid }, 'domain without Nova metadata is left out');
        return null;
      }
      const { element, unknownVersion } = found;
      if (unknownVersion !== undefined && !versionsWarnedOf.has(unknownVersion)) {
        versionsWarnedOf.add(unknownVersion);
        log.warn({ domain: name, version: unknownVersion }, 'unknown version of the Nova metadata, read as 1.1');
      }
      return createInstance(domain, root, element, { hostname: host.hostname, reserved: host.config.default, nova });
    } catch (error) {
      log.warn({ domain: name, uuid, reason: describeError(error) }, 'domain with unusable XML is left out');
      return null;
    }
  }

  function instances(ctx: PollContext): Promise<readonly Instance[]> {
    return ctx.cache.get('compute:instances', async () => {
      const found: Instance[] = [];
      for (const domain of await inspector.domains(ctx.signal)) {
        let instance = known.get(domain);
        if (instance === undefined) {
          instance = instanceOf(domain, ctx.log);
          known.set(domain, instance);
        }
        if (instance !== null) found.push(instance);
      }
      return found;
    });
  }

  function stats(ctx: PollContext): Promise<ReadonlyMap<string, DomainStats>> {
    return ctx.cache.get('compute:stats', async () => {
      const domains = (await instances(ctx)).map(({ domain }) => domain);
      return inspector.stats(domains, ctx.signal);
    });
  }

  return {
    reportStopped,
    instances,
    stats,
    images: (ctx) =>
      ctx.cache.get('compute:images', async () => sizes(await instances(ctx), await stats(ctx), ctx.signal)),
  };
}
