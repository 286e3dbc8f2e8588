/** The namespace ipmi: the sensors of this machine, as its management controller tells them. */
import { definePlugin, type Factory, type Host, type Meter, type Pollster, type Reading } from '../../plugin.ts';
import { createIpmiTool, type IpmiTool } from './ipmitool.ts';
import { parseSensors, type Sensor } from './sensors.ts';

interface Row {
  readonly unit: string;
  readonly help: string;
  readonly args: readonly string[];
  readonly skip?: (sensor: Sensor) => boolean;
  readonly maximum?: true;
}

const ofType = (type: string) => ['sdr', '-v', 'type', type];
/** ipmitool has it among the currents. */
const isPower = ({ id }: Sensor) => id.includes('Pwr Consumption');

const table: Readonly<Record<string, Row>> = {
  'hardware.ipmi.temperature': { unit: 'C', help: 'What the temperature sensor reads.', args: ofType('Temperature') },
  'hardware.ipmi.voltage': { unit: 'V', help: 'What the voltage sensor reads.', args: ofType('Voltage') },
  'hardware.ipmi.fan': {
    unit: 'RPM',
    help: 'What the fan sensor reads; the unit is the one of the sensor.',
    args: ofType('Fan'),
    maximum: true,
  },
  'hardware.ipmi.current': {
    unit: 'Amps',
    help: 'What the current sensor reads; the unit is the one of the sensor.',
    args: ofType('Current'),
    skip: isPower,
  },
  'hardware.ipmi.power': {
    unit: 'W',
    help: 'Power that the machine takes, where it has a sensor `Pwr Consumption`.',
    args: ['sensor', 'get', 'Pwr Consumption'],
  },
};

const tools = new WeakMap<Host, IpmiTool>();

function toolOf(host: Host): IpmiTool {
  const tool = tools.get(host) ?? createIpmiTool();
  tools.set(host, tool);
  return tool;
}

function sensorPollster(name: string, { unit, help, args, skip, maximum }: Row): Factory<Pollster> {
  const meter: Meter = { name, type: 'gauge', unit, float: true, help };
  return (host) => {
    const tool = toolOf(host);
    return {
      meters: [meter],
      discovery: 'local_node',
      async *poll(_resources, { signal, log }): AsyncGenerator<Reading> {
        const { sensors, strange } = parseSensors(await tool(args, signal));
        for (const sensor of sensors) {
          if (skip?.(sensor)) continue;
          yield {
            resourceId: `${host.hostname}-${sensor.id.toLowerCase().replaceAll(' ', '_')}`,
            volume: sensor.value,
            metadata: {
              node: host.hostname,
              ...(maximum && sensor.normalMaximum !== undefined && { maximum_rpm: sensor.normalMaximum }),
            },
            meter: sensor.unit === unit ? meter : { ...meter, unit: sensor.unit },
          };
        }
        if (strange.length > 0)
          log.debug({ pollster: name, sensors: strange.length, first: strange[0] }, 'some sensors cannot be read');
      },
    };
  };
}

export default definePlugin({
  api: 1,
  name: 'ipmi',
  pollsters: {
    ipmi: Object.fromEntries(Object.entries(table).map(([name, row]) => [name, sensorPollster(name, row)])),
  },
  discoveries: {
    ipmi: { local_node: (host) => ({ group: null, discover: async () => [{ id: host.hostname }] }) },
  },
});
