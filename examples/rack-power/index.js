import { readFile } from 'node:fs/promises';
import { definePlugin, definePollster, NoDataError } from 'ceilometer-ts/plugin';

// The rack's meter writes the watts it measures into a file; RACK_POWER_FILE says which.
const rackPower = definePollster(
  { name: 'rack.power', type: 'gauge', unit: 'W' },
  {
    discovery: 'local_node',
    async *poll(resources, { signal }) {
      const file = process.env.RACK_POWER_FILE;
      if (file === undefined) throw new NoDataError('RACK_POWER_FILE is not set');
      const watts = Number(await readFile(file, { encoding: 'utf8', signal }));
      for (const { id } of resources) yield { resourceId: id, volume: watts };
    },
  },
);

export default definePlugin({ api: 1, name: 'rack-power', pollsters: { host: { 'rack.power': rackPower } } });
