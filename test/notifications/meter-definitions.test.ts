import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/config/load.ts';
import { meterDefinitionsEndpoint } from '../../src/notifications/meter-definitions.ts';
import { type RecordingLog, recordingLog } from '../helpers/recording-log.ts';

const { config } = loadConfig({ files: [], dirs: [], env: {} });

function meter(name: string, unit: string): string {
  return `  - {name: ${name}, type: gauge, unit: ${unit}, event_type: e, volume: 1, resource_id: $.payload.id}\n`;
}

describe('definitions of one meter in several files', () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'meters-'));
    mkdirSync(join(folder, 'operator'));
    mkdirSync(join(folder, 'shipped'));
    writeFileSync(join(folder, 'shipped/a.yaml'), `metric:\n${meter('one', 'x')}${meter('two', 'x')}`);
  });

  afterEach(() => rmSync(folder, { recursive: true }));

  function load(operators: string): RecordingLog {
    writeFileSync(join(folder, 'operator/a.yaml'), `metric:\n${operators}`);
    const log = recordingLog();
    const directories = [join(folder, 'operator'), join(folder, 'shipped')];
    meterDefinitionsEndpoint({ directories, plugins: new Map(), reserved: config.default, source: 'openstack', log });
    return log;
  }

  it('are told of in one line where they differ, and not at all where a file is copied', () => {
    expect(load(meter('one', 'x') + meter('two', 'x')).told).toEqual([]);

    const log = load(meter('one', 'changed') + meter('two', 'x'));

    expect(log.told).toEqual(['info meters are as files before this one define them']);
    expect(log.fields('meters are as files before this one define them')).toEqual([
      { file: join(folder, 'shipped/a.yaml'), meters: ['one'] },
    ]);
  });

  it('are a mistake within one file', () => {
    const log = load(meter('one', 'x') + meter('one', 'y'));

    expect(log.fields('a meter is defined again; this definition is left out')).toEqual([
      { where: `${join(folder, 'operator/a.yaml')}:2`, meter: 'one' },
    ]);
  });
});
