import type { Discovery, Host } from '../../plugin.ts';
import type { Compute } from './compute.ts';

/** The Nova instances among this host's domains, running or not. */
export function localInstances(host: Host, compute: Compute): Discovery {
  const { instanceDiscoveryMethod: method, lifecycleSamples } = host.config.compute;
  const shared = method === 'workload_partitioning';
  if (shared) {
    host.log.warn(
      { option: '[compute] instance_discovery_method', value: method },
      'agents of one host do not share their work yet: run one agent on each host, several would repeat all samples',
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
