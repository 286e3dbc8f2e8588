import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { run } from './helpers/agent-process.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const example = join(root, 'examples/rack-power');

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'example-'));
  // What `npm install ceilometer-ts ceilometer-rack-power` makes, without asking a registry for the dependencies.
  const install = ['install', '--offline', '--install-links', '--legacy-peer-deps', '--prefix', folder, example];
  execFileSync('npm', install, { stdio: 'pipe' });
  const modules = join(folder, 'node_modules');
  const agent = join(modules, 'ceilometer-ts');
  mkdirSync(agent);
  for (const part of ['dist', 'etc', 'package.json']) cpSync(join(root, part), join(agent, part), { recursive: true });
  for (const name of readdirSync(join(root, 'node_modules'))) {
    if (!name.startsWith('.')) symlinkSync(join(root, 'node_modules', name), join(modules, name));
  }
  writeFileSync(join(folder, 'watts'), '230\n');
  writeFileSync(join(folder, 'polling.yaml'), 'sources:\n  - {name: rack, interval: 10, meters: [rack.power]}\n');
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Polls once with the plugin of this name and returns the samples. */
async function poll(plugin: string, agent?: string): Promise<unknown[]> {
  const conf = join(folder, 'ceilometer.conf');
  writeFileSync(conf, `[DEFAULT]\nhost = node-1\nplugins = ${plugin}\n[polling]\ncfg_file = ${folder}/polling.yaml\n`);
  const args = ['--config-file', conf, '--polling-namespaces', 'host', '--once', '--output', 'jsonl'];
  const env = { RACK_POWER_FILE: join(folder, 'watts') };
  const { code, stdout, stderr } = await run(agent ?? 'polling', args, env);
  if (code !== 0) throw new Error(stderr);
  return stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as unknown);
}

const sample = expect.objectContaining({
  counter_name: 'rack.power',
  counter_type: 'gauge',
  counter_unit: 'W',
  counter_volume: 230,
  resource_id: 'node-1',
});

describe('the example plugin', () => {
  it('is polled when its package is a link to a folder', async () => {
    const linked = join(folder, 'node_modules/linked-rack-power');
    symlinkSync(example, linked);
    const agent = join(folder, 'node_modules/ceilometer-ts/dist/cli/polling.js');

    expect(await poll('linked-rack-power', agent)).toEqual([sample]);
  });

  it('is polled when its package is installed beside the agent and named', async () => {
    const agent = join(folder, 'node_modules/ceilometer-ts/dist/cli/polling.js');

    expect(await poll('ceilometer-rack-power', agent)).toEqual([sample]);
  });

  it('is polled when its file is named, wherever it lies', async () => {
    const file = join(folder, 'elsewhere.mjs');
    cpSync(join(example, 'index.js'), file);

    expect(await poll(file)).toEqual([sample]);
  });
});
