/** The pollsters that an operator defines in files. */
import { createHttp, type Http } from '../../openstack/http.ts';
import type { Discovery, Factory, Host, Logger, Plugin, Pollster } from '../../plugin.ts';
import { barbicanDiscovery } from './barbican.ts';
import { endpointDiscovery } from './endpoint.ts';
import { type LoadedDefinition, loadDefinitions } from './load.ts';
import { dynamicPollster } from './pollster.ts';

export interface DynamicPlugins {
  readonly plugins: readonly DynamicPlugin[];
  /** Ends the connections to APIs outside of OpenStack. */
  close(): Promise<void>;
}

interface DynamicPlugin {
  /** The file that the definitions are in. */
  readonly file: string;
  readonly plugin: Plugin;
}

type Group<T> = Record<string, Record<string, Factory<T>>>;

/** Requests have the deadline of their definition. */
const LONGEST_REQUEST = 24 * 3600 * 1000;

/** One plugin for each file. What is wrong in them is told, and costs only the definition that it is in. */
export function dynamicPlugins(files: readonly string[], log: Logger): DynamicPlugins {
  const loaded = loadDefinitions(files, log);
  const http = createHttp({ timeout: LONGEST_REQUEST, insecure: false });
  const plugins = files.map((file) => ({
    file,
    plugin: pluginOf(
      file,
      loaded.filter((one) => one.file === file),
      http,
    ),
  }));
  return { plugins, close: http.close };
}

function pluginOf(file: string, loaded: readonly LoadedDefinition[], http: Http): Plugin {
  const pollsters: Group<Pollster> = {};
  const discoveries: Group<Discovery> = {};
  for (const { definition } of loaded) {
    for (const namespace of definition.namespaces) {
      const group = pollsters[namespace] ?? {};
      group[definition.name] = (host) => dynamicPollster(definition, host, http);
      pollsters[namespace] = group;
      discoveries[namespace] = {
        // The namespace may have an `endpoint` of its own, which then stands in for this one.
        endpoint: endpointDiscovery,
        barbican: barbicanDiscovery,
        dynamic_api: () => only('api'),
        dynamic_command: (host: Host) => only(host.hostname),
      };
    }
  }
  return { api: 1, name: file, pollsters, discoveries };
}

/** One resource: all agents that poll an API share one, each host is its own. */
function only(id: string): Discovery {
  return { group: id === 'api' ? 'dynamic_api' : null, discover: async () => [{ id }] };
}
