/** The polling namespace `host`: the machine that the agent runs on. */
import { type Discovery, definePlugin, type Host, type Plugin } from '../../plugin.ts';
import { areaPollsters } from './area.ts';
import { createShareTracker } from './cpu-shares.ts';
import type { Machine } from './machine.ts';
import { areas, type HostState } from './meters.ts';
import { openMachine } from './open-machine.ts';

/** Finds the machine itself, under the name that its samples carry. */
function localNode(host: Host): Discovery {
  return { group: null, discover: async () => [{ id: host.hostname }] };
}

export function hostPlugin(machineOf: (host: Host) => Machine): Plugin {
  const states = new WeakMap<Host, HostState>();
  const stateOf = (host: Host): HostState => {
    const known = states.get(host);
    if (known !== undefined) return known;
    // `resource_url` is where Ceilometer up to 18 has Gnocchi take the name of the host from.
    const metadata = { host: host.hostname, resource_url: `host://${host.hostname}` };
    const state = { machine: machineOf(host), shares: createShareTracker(), metadata };
    states.set(host, state);
    return state;
  };
  return definePlugin({
    api: 1,
    name: 'host',
    pollsters: {
      host: {
        ...areaPollsters(areas.load, stateOf),
        ...areaPollsters(areas.cpu, stateOf),
        ...areaPollsters(areas.cpuShares, stateOf),
        ...areaPollsters(areas.memory, stateOf),
        ...areaPollsters(areas.fileSystems, stateOf),
        ...areaPollsters(areas.disks, stateOf),
        ...areaPollsters(areas.interfaces, stateOf),
        ...areaPollsters(areas.ip, stateOf),
        ...areaPollsters(areas.blocks, stateOf),
      },
    },
    discoveries: { host: { local_node: localNode } },
  });
}

export default hostPlugin(openMachine);
