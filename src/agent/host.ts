import type { Config } from '../config/options.ts';
import { createInspector, libvirtUri } from '../libvirt/index.ts';
import type { VirtInspector } from '../libvirt/inspector.ts';
import type { Host, Logger } from '../plugin.ts';

/** The host of an agent, and what the agent itself needs to know of the services it made. */
export interface AgentHost extends Host {
  /** Rises when a driver was connected to again: what it did not support before may be supported now. */
  connections(): number;
  close(): Promise<void>;
}

/** Part of a pollster's time that resources which do not answer may cost. */
const SHARE = 0.7;
/** Milliseconds that they may cost at most. */
const LONGEST = 5_000;

/** `deadline` is the shortest that any of the pollsters has, in milliseconds. */
export function createHost(config: Config, log: Logger, deadline = Number.POSITIVE_INFINITY): AgentHost {
  let inspector: VirtInspector | undefined;
  return {
    hostname: config.default.host,
    config,
    log,
    inspector() {
      inspector ??= createInspector({ uri: libvirtUri(config), log, callTimeout: Math.min(LONGEST, SHARE * deadline) });
      return inspector;
    },
    connections: () => inspector?.connections ?? 0,
    async close() {
      await inspector?.close();
      inspector = undefined;
    },
  };
}
