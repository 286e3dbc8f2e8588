import { definePlugin, type Host, type Plugin } from '../../plugin.ts';
import { type Compute, createCompute } from './compute.ts';
import { cpu, vcpus } from './cpu.ts';
import { localInstances, localNode } from './discovery.ts';
import { disk, diskImage, diskSize } from './disk.ts';
import { domainPollsters } from './domain-pollsters.ts';
import { ofCpu, ofDisk, ofDiskImage, ofInstance, ofNic } from './families.ts';
import type { NovaLookup } from './instance.ts';
import { memory } from './memory.ts';
import { network, networkRates } from './network.ts';
import { perf } from './perf.ts';
import { power } from './power.ts';

export function createComputePlugin(novaOf: (host: Host) => NovaLookup): Plugin {
  const computes = new WeakMap<Host, Compute>();
  function computeOf(host: Host): Compute {
    let compute = computes.get(host);
    if (compute === undefined) {
      compute = createCompute(host, novaOf(host));
      computes.set(host, compute);
    }
    return compute;
  }

  return definePlugin({
    api: 1,
    name: 'compute',
    pollsters: {
      compute: {
        ...domainPollsters(computeOf, ofCpu, cpu),
        ...domainPollsters(computeOf, ofInstance, { ...vcpus, ...memory, ...power, ...perf, ...diskSize }),
        ...domainPollsters(computeOf, ofDisk, disk),
        ...domainPollsters(computeOf, ofDiskImage, diskImage),
        ...domainPollsters(computeOf, ofNic, network),
        ...networkRates,
      },
    },
    discoveries: {
      compute: {
        local_instances: (host) => localInstances(host, computeOf(host)),
        local_node: localNode,
      },
    },
  });
}
