/** What the sensors of bare metal nodes say, as Ironic passes it on. */
import type { Notification, NotificationSample } from '../notification.ts';
import type { Logger, NotificationEndpoint } from '../plugin.ts';
import { parseFloatText } from '../python/number.ts';
import { stringRepr, textOf } from '../python/text.ts';
import { floatValue, getKey, typeName, ValueError } from '../python/value.ts';
import { isObject, type JsonObject, type JsonValue, keysOf } from '../wire/value.ts';
import { createIds, createSampleMaker, type SampleIds } from './sample.ts';

const units: Readonly<Record<string, string>> = { Watts: 'W', Volts: 'V' };

/** One sensor that says nothing usable; the others of the node still count. */
class BadSensor extends Error {}

/** The endpoint for one kind of sensor: `Temperature`, `Voltage`, `Current` or `Fan`. */
export function ironicEndpoint(kind: string, source: string, log: Logger): NotificationEndpoint {
  return {
    eventTypes: ['hardware.ipmi.*'],
    process(notification) {
      const sensors = sensorsOf(notification, kind);
      if (sensors === undefined) return [];
      const ids = createIds(notification);
      const samples: NotificationSample[] = [];
      for (const key of keysOf(sensors)) {
        try {
          const sample = sensorSample(notification, kind, sensors[key] ?? null, source, ids);
          if (sample !== undefined) samples.push(sample);
        } catch (error) {
          if (!(error instanceof BadSensor)) throw error;
          log.warn({ sensor: key, kind, reason: error.message }, 'a sensor reading is left out');
        }
      }
      return samples;
    },
  };
}

function sensorsOf({ payload }: Notification, kind: string): JsonObject | undefined {
  if (!isObject(payload)) throw new ValueError(`the payload is a ${typeName(payload)}`);
  const readings = getKey(payload, 'payload');
  // Without readings, or without this kind of them, there is nothing to say.
  if (readings === undefined) return undefined;
  if (!isObject(readings)) throw new ValueError(`the readings are a ${typeName(readings)}`);
  const sensors = getKey(readings, kind);
  if (sensors !== undefined && !isObject(sensors)) throw new ValueError(`the sensors are a ${typeName(sensors)}`);
  return sensors;
}

function entry(payload: JsonValue, key: string): JsonValue {
  const value = getKey(payload, key);
  if (value === undefined) throw new ValueError(`the payload has no ${key}`);
  return value;
}

function sensorSample(
  notification: Notification,
  kind: string,
  sensor: JsonValue,
  source: string,
  ids: SampleIds,
): NotificationSample | undefined {
  const { payload } = notification;
  const node = getKey(payload, 'node_uuid');
  if (node === undefined) throw new BadSensor("missing key in payload: 'node_uuid'");
  if (!isObject(sensor)) throw new ValueError(`a sensor is a ${typeName(sensor)}`);
  const sensorId = getKey(sensor, 'Sensor ID');
  if (sensorId === undefined) throw new BadSensor("missing key in payload: 'Sensor ID'");
  if (typeof sensorId !== 'string') throw new ValueError(`a sensor's id is a ${typeName(sensorId)}`);
  // The sensors of currents also have one that measures power.
  if (kind === 'Current' && sensorId.includes('Pwr Consumption')) return undefined;
  const timestamp = entry(payload, 'timestamp');
  const eventType = entry(payload, 'event_type');
  const reading = getKey(sensor, 'Sensor Reading');
  if (reading === undefined) throw new BadSensor("missing 'Sensor Reading' in payload");
  if (reading === 'Disabled') return undefined;
  const [volume, unit] = parseReading(reading);
  const said: JsonObject = { ...sensor, node };
  const { publisherId } = notification;
  return createSampleMaker({ payload: said, publisherId, eventType, timestamp }, source, ids).make({
    name: `hardware.ipmi.${kind.toLowerCase()}`,
    type: 'gauge',
    unit,
    volume,
    userId: getKey(payload, 'user_id') ?? null,
    projectId: getKey(payload, 'project_id') ?? null,
    resourceId: `${textOf(node)}-${sensorId.toLowerCase().replaceAll(' ', '_')}`,
    timestamp,
  });
}

/** `45 (+/- 0.500) degrees C` is 45 C. */
function parseReading(reading: JsonValue): readonly [JsonValue, string] {
  if (typeof reading !== 'string') throw new ValueError(`a sensor's reading is a ${typeName(reading)}`);
  const space = reading.indexOf(' ');
  const volume = space < 0 ? undefined : parseFloatText(reading.slice(0, space));
  if (volume === undefined) throw new BadSensor(`unable to parse sensor reading: ${stringRepr(reading)}`);
  const unit = reading.slice(reading.lastIndexOf(' ') + 1);
  return [floatValue(volume), units[unit] ?? unit];
}
