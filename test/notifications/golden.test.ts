import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createHost } from '../../src/agent/host.ts';
import { loadConfig } from '../../src/config/load.ts';
import { type Assembly, assemble } from '../../src/notifications/assembly.ts';
import { goldenCases, produced, unordered, writeProfile } from '../helpers/golden-notifications.ts';
import { recordingLog } from '../helpers/recording-log.ts';

const cases = goldenCases();

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

    expect(got.samples).toBe(unordered(golden.samples));
    expect(got.events).toBe(unordered(golden.events));
    if (golden.loops) expect(got.failed).toBe(true);
    equal += 1;
  });

  it('has all of the recorded cases', () => {
    expect(cases.length).toBe(276);
  });
});
