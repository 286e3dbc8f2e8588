/** The recorded cases: a message, the configuration profile that it met, and what the real agent made of it. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { decodeMessage } from '../../src/messaging/notification-message.ts';
import type { Assembly } from '../../src/notifications/assembly.ts';
import { eventMessage, sampleDict } from '../../src/publishers/records.ts';
import { getKey } from '../../src/python/value.ts';
import { stringifyJson } from '../../src/wire/json.ts';
import { parseExactJson } from '../../src/wire/json-parser.ts';
import { isList, isObject, type JsonObject, type JsonValue } from '../../src/wire/value.ts';

const properties = { contentType: 'application/json', contentEncoding: 'utf-8', headers: {} };
const fixtures = fileURLToPath(new URL('../fixtures', import.meta.url));

export interface GoldenCase {
  readonly name: string;
  readonly profile: string;
  readonly exchange: string;
  readonly routingKey: string;
  readonly body: string;
  readonly samples: readonly JsonValue[];
  readonly events: readonly JsonValue[];
  /** Upstream would requeue the message for ever. */
  readonly loops: boolean;
}

interface Profile {
  readonly options: readonly string[];
  readonly meters: readonly string[];
  readonly events: readonly string[];
}

export function goldenCases(): readonly GoldenCase[] {
  const directory = join(fixtures, 'notification');
  return readdirSync(directory)
    .sort()
    .map((file) => {
      const value = parseExactJson(readFileSync(join(directory, file), 'utf8'));
      const text = (key: string, from: JsonValue | undefined = value) => String(getKey(from, key));
      const list = (key: string) => {
        const items = getKey(getKey(value, 'expected'), key);
        return items !== undefined && isList(items) ? items : [];
      };
      const input = getKey(value, 'input');
      return {
        name: text('name'),
        profile: text('profile'),
        exchange: text('exchange', input),
        routingKey: text('routing_key', input),
        body: text('body', input),
        samples: list('samples'),
        events: list('events'),
        loops: text('disposition', getKey(value, 'expected')) === 'requeue-loop',
      };
    });
}

export interface ProfileSettings {
  readonly transportUrl: string;
  readonly samplePublishers: readonly string[];
  readonly eventPublishers: readonly string[];
}

/** Writes the configuration of a profile; returns the path of its ceilometer.conf. */
export function writeProfile(directory: string, name: string, settings: ProfileSettings): string {
  const profiles: Record<string, Profile> = JSON.parse(
    readFileSync(join(fixtures, 'notification-profiles', 'profiles.json'), 'utf8'),
  );
  const profile = profiles[name];
  if (profile === undefined) throw new Error(`no profile ${name}`);
  mkdirSync(join(directory, 'meters.d'), { recursive: true });
  for (const [from, to] of [
    ['cust_events.yaml', 'cust_events.yaml'],
    ['meters.d-cust.yaml', 'meters.d/cust.yaml'],
  ] as const) {
    writeFileSync(join(directory, to), readFileSync(join(fixtures, 'notification-profiles', from)));
  }
  return writeConfiguration(directory, { ...settings, ...profile });
}

/** Writes ceilometer.conf and pipeline files; options are `group.key=value`, with `{dir}` for the directory. */
export function writeConfiguration(directory: string, settings: ProfileSettings & Profile): string {
  const groups = new Map<string, string[]>([
    [
      'DEFAULT',
      [
        `transport_url = ${settings.transportUrl}`,
        'host = test-host',
        `pipeline_cfg_file = ${directory}/pipeline.yaml`,
        `event_pipeline_cfg_file = ${directory}/event_pipeline.yaml`,
      ],
    ],
    ['publisher', ['telemetry_secret = s3cr3t']],
  ]);
  for (const option of settings.options) {
    const [, group = '', key = '', value = ''] = /^([^.]+)\.([^=]+)=(.*)$/.exec(option) ?? [];
    const lines = groups.get(group) ?? [];
    groups.set(group, lines);
    lines.push(`${key} = ${value.replaceAll('{dir}', directory)}`);
  }
  const conf = [...groups].map(([group, lines]) => `[${group}]\n${lines.join('\n')}\n`).join('\n');
  const file = join(directory, 'ceilometer.conf');
  writeFileSync(file, conf);
  const pipeline = (key: string, selection: readonly string[], publishers: readonly string[]) =>
    JSON.stringify({
      sources: [{ name: 'source', [key]: selection, sinks: ['sink'] }],
      sinks: [{ name: 'sink', publishers }],
    });
  writeFileSync(join(directory, 'pipeline.yaml'), pipeline('meters', settings.meters, settings.samplePublishers));
  writeFileSync(join(directory, 'event_pipeline.yaml'), pipeline('events', settings.events, settings.eventPublishers));
  return file;
}

const VERSION_1 = /^[0-9a-f]{8}-[0-9a-f]{4}-1[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** The sample with its id masked where the agent made it. */
export function masked(sample: JsonValue): JsonValue {
  const id = getKey(sample, 'id');
  return isObject(sample) && typeof id === 'string' && VERSION_1.test(id)
    ? { ...sample, id: '<volatile:uuid1>' }
    : sample;
}

/** Keys sorted, all the way down, for comparing without regard to order. */
export function canonical(value: JsonValue): JsonValue {
  if (isList(value)) return value.map(canonical);
  if (!isObject(value)) return value;
  const entries = Object.keys(value)
    .sort()
    .map((key): [string, JsonValue] => [key, canonical(value[key] ?? null)]);
  return Object.fromEntries(entries) satisfies JsonObject;
}

/** The order of samples, and of the traits of an event, is that of the definition files and means nothing. */
export function unordered(values: readonly JsonValue[]): string {
  return values
    .map((value) => {
      const traits = getKey(value, 'traits');
      const list = traits !== undefined && isList(traits) ? traits.map((trait) => stringifyJson(trait)).sort() : [];
      return stringifyJson(canonical(isObject(value) && list.length > 0 ? { ...value, traits: list } : value));
    })
    .sort()
    .join('\n');
}

export interface Produced {
  /** As {@link unordered} writes them. */
  readonly samples: string;
  readonly events: string;
  readonly failed: boolean;
}

/** What an assembly makes of a message and would hand to publishers. */
export function produced(assembly: Assembly, body: string): Produced {
  const { notification } = decodeMessage(Buffer.from(body), properties);
  if (notification === undefined) return { samples: '', events: '', failed: false };
  const { samples, event, failure } = assembly.processor.process(notification);
  const routed = samples.flatMap((batch) => assembly.samples?.route(batch) ?? []);
  const events = event === undefined ? [] : (assembly.events?.route(event) ?? []);
  return {
    samples: unordered(
      routed.flatMap((publication) => publication.samples).map((sample) => masked(sampleDict(sample))),
    ),
    events: unordered(events.flatMap((publication) => publication.events).map(eventMessage)),
    failed: failure !== undefined,
  };
}
