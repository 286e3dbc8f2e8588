import { definePlugin, type Host, type Plugin } from '../../plugin.ts';
import { type Compute, createCompute, type InstanceSource } from './compute.ts';
import { cpu, vcpus } from './cpu.ts';
import { localInstances, localNode } from './discovery.ts';
import { disk, diskImage, diskSize } from './disk.ts';
import { domainPollsters } from './domain-pollsters.ts';
import { ofCpu, ofDisk, ofDiskImage, ofInstance, ofNic } from './families.ts';
import { createLibvirtSource } from './libvirt-source.ts';
import { memory } from './memory.ts';
import { network, networkRates } from './network.ts';
import { createNovaApi } from './nova/api.ts';
import { createNovaLookup, type NovaLookup } from './nova/lookup.ts';
import { createServerList } from './nova/server-list.ts';
import { createNovaSource } from './nova-source.ts';
import { perf } from './perf.ts';
import { power } from './power.ts';

export function createComputePlugin(lookupOf: (host: Host) => NovaLookup = createNovaLookup): Plugin {
  const computes = new WeakMap<Host, Compute>();
  function computeOf(host: Host): Compute {
    let compute = computes.get(host);
    if (compute === undefined) {
      compute = createCompute(host, sourceOf(host, lookupOf(host)));
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

/** Throws `ERR_CONFIG` where Nova is to be asked and the credentials do not suffice. */
function sourceOf(host: Host, lookup: NovaLookup): InstanceSource {
  const libvirt = createLibvirtSource(host, lookup);
  if (host.config.compute.instanceDiscoveryMethod === 'libvirt_metadata') return libvirt;
  return createNovaSource(
    createServerList(host, createNovaApi(host.openstack(), host.config.serviceTypes.nova)),
    libvirt,
  );
}
