import type { Discovery, Host } from '../../plugin.ts';
import type { Compute } from './compute.ts';

/** The Nova instances among this host's domains, running or not. */
export function localInstances(host: Host, compute: Compute): Discovery {
  const { compute: options, coordination } = host.config;
  const { instanceDiscoveryMethod: method, lifecycleSamples } = options;
  const shared = method === 'workload_partitioning';
  if (shared && !coordination.backendUrl) {
    host.log.warn(
      { option: '[compute] instance_discovery_method', value: method },
      'without [coordination] backend_url agents of one host share nothing: several would repeat all samples',
    );
  }
  return {
    group: shared ? host.hostname : null,
    discover: (_parameter, ctx) => compute.instances(ctx),
    ...(lifecycleSamples && { watch: compute.watch }),
  };
}

/** This host itself. Every agent has another, so the work is never shared out. */
export function localNode(host: Host): Discovery {
  const nodes = [{ id: host.hostname }];
  return { group: null, discover: async () => nodes };
}
