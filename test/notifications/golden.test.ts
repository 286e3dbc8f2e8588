import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createHost } from '../../src/agent/host.ts';
import { loadConfig } from '../../src/config/load.ts';
import { decodeMessage } from '../../src/messaging/notification-message.ts';
import { type Assembly, assemble } from '../../src/notifications/assembly.ts';
import { eventMessage, sampleDict } from '../../src/publishers/records.ts';
import { getKey } from '../../src/python/value.ts';
import { stringifyJson } from '../../src/wire/json.ts';
import { isList, isObject, type JsonValue } from '../../src/wire/value.ts';
import { canonical, goldenCases, masked, writeProfile } from '../helpers/golden-notifications.ts';
import { recordingLog } from '../helpers/recording-log.ts';

const cases = goldenCases();
const properties = { contentType: 'application/json', contentEncoding: 'utf-8', headers: {} };

/** The order of samples, and of the traits of an event, is that of the definition files and means nothing. */
function text(values: readonly JsonValue[]): string {
  return values
    .map((value) => {
      const traits = getKey(value, 'traits');
      const list = traits !== undefined && isList(traits) ? traits.map((trait) => stringifyJson(trait)).sort() : [];
      return stringifyJson(canonical(isObject(value) && list.length > 0 ? { ...value, traits: list } : value));
    })
    .sort()
    .join('\n');
}

function produced(assembly: Assembly, body: string): { samples: string; events: string; failed: boolean } {
  const { notification } = decodeMessage(Buffer.from(body), properties);
  if (notification === undefined) return { samples: '', events: '', failed: false };
  const { samples, event, failure } = assembly.processor.process(notification);
  const routed = samples.flatMap((batch) => assembly.samples?.route(batch) ?? []);
  const events = event === undefined ? [] : (assembly.events?.route(event) ?? []);
  return {
    samples: text(routed.flatMap((publication) => publication.samples).map((sample) => masked(sampleDict(sample)))),
    events: text(events.flatMap((publication) => publication.events).map(eventMessage)),
    failed: failure !== undefined,
  };
}

describe('notifications become what the real agent made of them', () => {
  const assemblies = new Map<string, Assembly>();
  let directory: string;
  let equal = 0;

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'ceilometer-golden-'));
    for (const profile of new Set(cases.map(({ profile }) => profile))) {
      const file = writeProfile(join(directory, profile), profile, {
        transportUrl: 'rabbit://',
        samplePublishers: ['test://'],
        eventPublishers: ['test://'],
      });
      const { config, searchPath } = loadConfig({ files: [file], dirs: [], env: {} });
      assemblies.set(profile, await assemble(createHost(config, recordingLog()), searchPath));
    }
  });

  afterAll(async () => {
    console.log(`golden notifications: ${equal} of ${cases.length} cases equal`);
    for (const assembly of assemblies.values()) await assembly.close();
    rmSync(directory, { recursive: true, force: true });
  });

  it.each(cases.map((golden) => [golden.name, golden] as const))('%s', (_name, golden) => {
    const assembly = assemblies.get(golden.profile);
    if (assembly === undefined) throw new Error(`no assembly for ${golden.profile}`);

    const got = produced(assembly, golden.body);

    expect(got.samples).toBe(text(golden.samples));
    expect(got.events).toBe(text(golden.events));
    if (golden.loops) expect(got.failed).toBe(true);
    equal += 1;
  });

  it('has all of the recorded cases', () => {
    expect(cases.length).toBe(276);
  });
});
