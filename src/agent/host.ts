import type { Config } from '../config/options.ts';
import { createInspector, libvirtUri } from '../libvirt/index.ts';
import type { VirtInspector } from '../libvirt/inspector.ts';
import { createSession, type OpenStackSession } from '../openstack/session.ts';
import type { Host, Logger } from '../plugin.ts';
import { StateStore } from './state-store.ts';

/** The host of an agent, and what the agent itself needs to know of the services it made. */
export interface AgentHost extends Host {
  /** Rises when a driver was connected to again: what it did not support before may be supported now. */
  connections(): number;
  close(): Promise<void>;
}

export function createHost(config: Config, log: Logger, states = new StateStore({ log })): AgentHost {
  let inspector: VirtInspector | undefined;
  let session: OpenStackSession | undefined;
  return {
    hostname: config.default.host,
    config,
    log,
    inspector() {
      inspector ??= createInspector({ uri: libvirtUri(config), log });
      return inspector;
    },
    openstack() {
      session ??= createSession(config);
      return session;
    },
    state: (name) => states.state(name),
    connections: () => inspector?.connections ?? 0,
    async close() {
      await Promise.all([inspector?.close(), session?.close()]);
      inspector = undefined;
      session = undefined;
    },
  };
}
