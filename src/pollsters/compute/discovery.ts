import { ConfigError } from '../../errors.ts';
import type { Discovery, Host } from '../../plugin.ts';
import type { Compute } from './compute.ts';

const SUPPORTED = 'libvirt_metadata';

/** The Nova instances among this host's domains, running or not. */
export function localInstances(host: Host, compute: Compute): Discovery {
  const { instanceDiscoveryMethod: method, fetchExtraMetadata } = host.config.compute;
  if (method !== SUPPORTED) {
    throw new ConfigError(
      `[compute] instance_discovery_method = ${method}: instances are discovered by ${SUPPORTED} only, not through the Nova API`,
    );
  }
  if (fetchExtraMetadata) {
    host.log.warn(
      { option: '[compute] fetch_extra_metadata' },
      'option has no effect: the Nova API is not asked, samples carry no user_metadata',
    );
  }
  return { group: null, discover: (_parameter, ctx) => compute.instances(ctx) };
}

/** This host itself. Every agent has another, so the work is never shared out. */
export function localNode(host: Host): Discovery {
  const nodes = [{ id: host.hostname }];
  return { group: null, discover: async () => nodes };
}
