/** Instances as the Nova API describes them: the methods naive and workload_partitioning. */
import { describeError } from '../../errors.ts';
import type { Domain } from '../../libvirt/inspector.ts';
import type { FindContext, InstanceSource } from './compute.ts';
import { type Devices, readDevices } from './devices.ts';
import { deriveResources, type Instance } from './instance.ts';
import type { Server } from './nova/server.ts';
import type { ServerList } from './nova/server-list.ts';
import { parseXml } from './xml.ts';

/** `libvirt` describes the domains that Nova has told nothing of, while it cannot be asked. */
export function createNovaSource(servers: ServerList, libvirt: InstanceSource): InstanceSource {
  /** null for a domain whose XML cannot be used. */
  const devices = new WeakMap<Domain, Devices | null>();
  const made = new WeakMap<Server, Instance>();
  /** Domains that Nova did not know when it was asked last. */
  let strangers = new Set<string>();

  function devicesOf(domain: Domain, log: FindContext['log']): Devices | null {
    let found = devices.get(domain);
    if (found === undefined) {
      try {
        found = readDevices(parseXml(domain.xml));
      } catch (error) {
        const { name, uuid } = domain;
        log.warn({ domain: name, uuid, reason: describeError(error) }, 'domain with unusable XML is left out');
        found = null;
      }
      devices.set(domain, found);
    }
    return found;
  }

  function instanceOf(domain: Domain, server: Server, log: FindContext['log']): Instance | undefined {
    const before = made.get(server);
    if (before?.domain === domain) return before;
    const found = devicesOf(domain, log);
    if (found === null) return undefined;
    const resources = deriveResources({ domain, devices: found }, server.metadata);
    // Its state is what Nova says, whatever libvirt does.
    const instance = { id: domain.uuid, domain, nova: server.nova, devices: found, resources: () => resources };
    made.set(server, instance);
    return instance;
  }

  return {
    mayBeInstance: ({ uuid }) => !strangers.has(uuid),
    async find(domains, ctx) {
      const complete = await servers.refresh(ctx.signal);
      if (complete)
        strangers = new Set(domains.map(({ uuid }) => uuid).filter((uuid) => servers.get(uuid) === undefined));
      const untold: Domain[] = [];
      const instances = domains.flatMap((domain) => {
        const server = servers.get(domain.uuid);
        if (server !== undefined) return instanceOf(domain, server, ctx.log) ?? [];
        if (!strangers.has(domain.uuid)) untold.push(domain);
        return [];
      });
      return untold.length === 0 ? instances : [...instances, ...(await libvirt.find(untold, ctx))];
    },
  };
}
