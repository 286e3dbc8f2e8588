/** What docs/plugins.md shows, written to files and run as its readers would. */
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { run } from './helpers/agent-process.ts';

const root = fileURLToPath(new URL('..', import.meta.url));

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'docs-plugins-'));
  const text = readFileSync(join(root, 'docs/plugins.md'), 'utf8');
  for (const [, name = '', code = ''] of text.matchAll(/^```js\n\/\/ (\S+)\n(.*?)^```$/gms)) {
    writeFileSync(join(folder, name), code);
  }
  const [, manifest = ''] = /^```json\n(.*?)^```$/ms.exec(text) ?? [];
  writeFileSync(join(folder, 'package.json'), manifest);
  mkdirSync(join(folder, 'node_modules'));
  symlinkSync(root, join(folder, 'node_modules/ceilometer-ts'));
});

afterAll(() => rmSync(folder, { recursive: true }));

describe('the plugin of docs/plugins.md', () => {
  it('passes its own tests', async () => {
    const { stdout } = await promisify(execFile)(process.execPath, ['--test', '--test-reporter=tap'], { cwd: folder });

    expect(stdout).toMatch(/^# pass 2$/m);
    expect(stdout).toMatch(/^# fail 0$/m);
  });

  it('is listed with all its members, and polled with the options of its group', async () => {
    const directory = join(folder, 'racks');
    mkdirSync(join(directory, 'r7'), { recursive: true });
    writeFileSync(join(directory, 'r7/temperature'), '19\n');
    const conf = join(folder, 'ceilometer.conf');
    const polling = join(folder, 'polling.yaml');
    writeFileSync(polling, 'sources:\n  - {name: acme, interval: 10, meters: ["acme.*"]}\n');
    writeFileSync(
      conf,
      `[DEFAULT]\nhost = node-1\nplugins = ${join(folder, 'index.js')}\n[acme]\ndirectory = ${directory}\n` +
        `[polling]\ncfg_file = ${polling}\n`,
    );

    const listed = await run('ceilometer', ['plugins', '--config-file', conf]);
    const polled = await run('polling', [
      ...['--config-file', conf, '--polling-namespaces', 'host', '--once', '--output', 'jsonl'],
    ]);

    for (const row of [
      'host +acme.temperature',
      'endpoint +acme.alarms',
      'trait +acme_severity',
      'publisher +acme.http',
    ]) {
      expect(listed.stdout).toMatch(new RegExp(`^${row} `, 'm'));
    }
    expect(polled.stderr).not.toMatch(/WARNING|ERROR/);
    expect(JSON.parse(polled.stdout)).toMatchObject({
      counter_name: 'acme.temperature',
      counter_volume: 19,
      resource_id: 'node-1.r7',
      resource_metadata: { rack: 'r7' },
    });
  });
});
