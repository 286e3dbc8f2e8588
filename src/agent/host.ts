import type { Config } from '../config/options.ts';
import { ConfigError, codeOf, describeError } from '../errors.ts';
import { createInspector, libvirtUri } from '../libvirt/index.ts';
import type { VirtInspector } from '../libvirt/inspector.ts';
import { type Budget, createBudget } from '../openstack/budget.ts';
import { createSession } from '../openstack/session.ts';
import type { Host, Logger, OpenStackSession } from '../plugin.ts';
import { systemClock } from '../util/clock.ts';
import { StateStore } from './state-store.ts';

/** The host of an agent, and what the agent itself needs to know of the services it made. */
export interface AgentHost extends Host {
  /** Rises when a driver was connected to again: what it did not support before may be supported now. */
  connections(): number;
  close(): Promise<void>;
}

/** A host with real services. */
export interface RealHost extends AgentHost {
  readonly budget: Budget;
}

/** Part of a pollster's time that resources which do not answer may cost. */
const SHARE = 0.7;
/** Milliseconds that they may cost at most. */
const LONGEST = 5_000;

export interface HostOptions {
  /** Where pollsters keep what they remember; in memory and for this host alone where left out. */
  readonly states?: StateStore;
  /** The shortest that any of the pollsters has, in milliseconds. */
  readonly deadline?: number;
}

export function createHost(config: Config, log: Logger, options: HostOptions = {}): RealHost {
  const { states = new StateStore({ log }), deadline = Number.POSITIVE_INFINITY } = options;
  let inspector: VirtInspector | undefined;
  let session: OpenStackSession | undefined;
  const budget = createBudget({ ...config.polling, clock: systemClock });
  return {
    hostname: config.default.host,
    config,
    log,
    inspector() {
      inspector ??= openInspector(config, log, deadline);
      return inspector;
    },
    openstack() {
      session ??= createSession(config, { budget });
      return session;
    },
    budget,
    state: (name) => states.state(name),
    connections: () => inspector?.connections ?? 0,
    async close() {
      await Promise.all([inspector?.close(), session?.close()]);
      inspector = undefined;
      session = undefined;
    },
  };
}

function openInspector(config: Config, log: Logger, deadline: number): VirtInspector {
  try {
    return createInspector({ uri: libvirtUri(config), log, callTimeout: Math.min(LONGEST, SHARE * deadline) });
  } catch (error) {
    if (codeOf(error) !== 'ERR_CONFIG') throw error;
    throw new ConfigError(`[DEFAULT] libvirt_uri: ${describeError(error)}`);
  }
}
