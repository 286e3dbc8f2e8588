/** The instances of this host and what libvirt says of them, asked for once per cycle for all pollsters. */
import type { BlockInfo, Domain, DomainStats } from '../../libvirt/inspector.ts';
import type { Host, PollContext } from '../../plugin.ts';
import { createImageSizes, type ImageSizes } from './image-sizes.ts';
import type { Instance } from './instance.ts';

/** Where it comes from what the domains of this host are to Nova. */
export interface InstanceSource {
  /** The instances among these domains. One that has not changed is the same object as before. */
  find(domains: readonly Domain[], ctx: PollContext): Promise<readonly Instance[]>;
}

export interface Compute {
  readonly reportStopped: boolean;
  instances(ctx: PollContext): Promise<readonly Instance[]>;
  stats(ctx: PollContext): Promise<ReadonlyMap<string, DomainStats>>;
  /** What the disks' images occupy, by instance and device. */
  images(ctx: PollContext): Promise<ReadonlyMap<string, ReadonlyMap<string, BlockInfo>>>;
}

export function createCompute(host: Host, source: InstanceSource): Compute {
  const { reportStoppedInstanceMetrics: reportStopped } = host.config.compute;
  const inspector = host.inspector();
  const sizes: ImageSizes = createImageSizes(inspector, reportStopped);

  function instances(ctx: PollContext): Promise<readonly Instance[]> {
    return ctx.cache.get('compute:instances', async () => source.find(await inspector.domains(ctx.signal), ctx));
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
