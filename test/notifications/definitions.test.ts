import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createHost } from '../../src/agent/host.ts';
import { loadConfig } from '../../src/config/load.ts';
import { type Assembly, assemble } from '../../src/notifications/assembly.ts';
import { getKey } from '../../src/python/value.ts';
import { parseExactJson } from '../../src/wire/json-parser.ts';
import { isList, type JsonValue } from '../../src/wire/value.ts';
import { produced, unordered, writeConfiguration } from '../helpers/golden-notifications.ts';
import { recordingLog } from '../helpers/recording-log.ts';

/** Definition files of an operator's own, a message, and what Ceilometer's master made of it. */
const cases = listOf(
  parseExactJson(readFileSync(new URL('../fixtures/notification-definitions/cases.json', import.meta.url), 'utf8')),
);

function listOf(value: JsonValue | undefined): readonly JsonValue[] {
  return value !== undefined && isList(value) ? value : [];
}

function textOf(value: JsonValue, key: string): string {
  return String(getKey(value, key));
}

describe('definition files make of notifications what upstream makes of them', () => {
  let directory: string;

  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'ceilometer-definitions-'));
  });

  afterAll(() => {
    rmSync(directory, { recursive: true, force: true });
  });

  async function assembled(entry: JsonValue): Promise<Assembly> {
    const own = join(directory, textOf(entry, 'name'));
    mkdirSync(join(own, 'meters.d'), { recursive: true });
    writeFileSync(join(own, 'meters.d', 'own.yaml'), textOf(entry, 'meters'));
    writeFileSync(join(own, 'events.yaml'), textOf(entry, 'events'));
    const file = writeConfiguration(own, {
      options: [
        'event.definitions_cfg_file={dir}/events.yaml',
        'meter.meter_definitions_dirs={dir}/meters.d',
        ...listOf(getKey(entry, 'options')).map(String),
      ],
      transportUrl: 'rabbit://',
      meters: ['*'],
      samplePublishers: ['test://'],
      events: ['*'],
      eventPublishers: ['test://'],
    });
    const { config, searchPath } = loadConfig({ files: [file], dirs: [], env: {} });
    return assemble(createHost(config, recordingLog()), searchPath);
  }

  it.each(cases.map((entry) => [textOf(entry, 'name').replaceAll('-', ' '), entry] as const))(
    '%s',
    async (_, entry) => {
      const assembly = await assembled(entry);
      const expected = getKey(entry, 'expected');

      const got = produced(assembly, textOf(entry, 'body'));

      expect(got).toEqual({
        samples: unordered(listOf(getKey(expected, 'samples'))),
        events: unordered(listOf(getKey(expected, 'events'))),
        failed: getKey(expected, 'fails'),
      });
      await assembly.close();
    },
  );

  it('has all of the recorded cases', () => {
    expect(cases.length).toBeGreaterThan(10);
  });
});
