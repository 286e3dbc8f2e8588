/**
 * A host whose drivers and sessions are loaded late, if ever. Their code is a fifth of what a notification agent would
 * load, and most such agents run without.
 */
import type { Config } from '../config/options.ts';
import type { Logger } from '../plugin.ts';
import type { AgentHost } from './host.ts';

export interface LateHost extends AgentHost {
  /** Has to be called before anything that asks the host for more than its name, configuration and log. */
  load(): Promise<void>;
}

export function createLateHost(config: Config, log: Logger): LateHost {
  let loaded: AgentHost | undefined;
  function host(): AgentHost {
    if (loaded === undefined) throw new Error('the host was not loaded');
    return loaded;
  }
  return {
    hostname: config.default.host,
    config,
    log,
    async load() {
      const { createHost } = await import('./host.ts');
      loaded ??= createHost(config, log);
    },
    get budget() {
      return host().budget;
    },
    inspector: () => host().inspector(),
    openstack: () => host().openstack(),
    state: (name) => host().state(name),
    connections: () => loaded?.connections() ?? 0,
    close: async () => loaded?.close(),
  };
}
