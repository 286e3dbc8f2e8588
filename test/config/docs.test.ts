import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { configurationMarkdown, sampleConfig } from '../../src/config/docs.ts';
import { parseIni } from '../../src/config/ini.ts';
import { knownOptions } from '../../src/config/known.ts';
import { loadConfig } from '../../src/config/load.ts';
import { loadPolling } from '../../src/config/polling.ts';
import { tempFiles } from './temp-files.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

describe('configurationMarkdown', () => {
  it('is what docs/configuration.md has; "npm run docs" writes it anew', () => {
    expect(readFileSync(join(root, 'docs/configuration.md'), 'utf8')).toBe(configurationMarkdown());
  });

  it('does not depend on the machine', () => {
    expect(configurationMarkdown()).toContain('| `host` | string | name of this host |');
  });

  it('has an example of polling.yaml that is right', () => {
    const [, example = ''] = /```yaml\n(.*?)```/s.exec(configurationMarkdown()) ?? [];
    const folder = tempFiles({ 'polling.yaml': example });

    const { sources, warnings } = loadPolling(join(folder, 'polling.yaml'));

    expect(sources.map(({ name }) => name)).toEqual(['instances', 'everything_else']);
    expect(warnings).toEqual([]);
  });
});

describe('sampleConfig', () => {
  it('sets nothing as it is', () => {
    expect(parseIni(sampleConfig())).toMatchObject({ assignments: [], errors: [] });
  });

  it('has each option that has an effect, and sets the defaults where its marks are taken away', () => {
    const text = sampleConfig()
      .replace(/^#(\w+ = (?!<).*|\w+ =)$/gm, '$1')
      .replace(/^#(\w+) = <.*>$/gm, '');
    const folder = tempFiles({ 'ceilometer.conf': text });
    const sources = { dirs: [], env: {} };

    const sample = loadConfig({ ...sources, files: [join(folder, 'ceilometer.conf')] });

    const written = new Set(parseIni(text).assignments.map(({ section, key }) => `${section}.${key}`));
    const active = knownOptions.filter(({ option }) => option.noEffect === undefined);
    const missing = active.filter(
      ({ group, name, option }) => !option.shownDefault && !written.has(`${group}.${name}`),
    );
    expect(missing.map(({ name }) => name)).toEqual([]);
    expect(sample.warnings).toEqual([]);
    const { section: _, place: _place, searchPath: _files, ...values } = sample.config;
    const {
      section: __,
      place: __place,
      searchPath: __files,
      ...defaults
    } = loadConfig({ ...sources, files: [] }).config;
    expect({ ...values, default: { ...values.default, plugins: [] } }).toEqual(defaults);
  });

  it('keeps to the width of a terminal, but for values that are longer', () => {
    const long = sampleConfig()
      .split('\n')
      .filter((line) => line.length > 79);

    expect(long).toEqual([]);
  });
});

describe('etc/ceilometer', () => {
  it('has files that are right, and the example sets nothing', () => {
    const file = join(root, 'etc/ceilometer/ceilometer.conf');

    const { warnings } = loadConfig({ files: [file], dirs: [], env: {} });
    const { sources } = loadPolling(join(root, 'etc/ceilometer/polling.yaml'));

    expect(warnings).toEqual([]);
    expect(parseIni(readFileSync(file, 'utf8')).assignments).toEqual([]);
    expect(sources.map(({ name, interval }) => [name, interval])).toEqual([['some_pollsters', 300]]);
  });

  it('has an example that is right with its marks taken away, too', () => {
    const text = readFileSync(join(root, 'etc/ceilometer/ceilometer.conf'), 'utf8').replace(/^#(\w+ =.*)$/gm, '$1');
    const folder = tempFiles({ 'ceilometer.conf': text });

    const { warnings } = loadConfig({ files: [join(folder, 'ceilometer.conf')], dirs: [], env: {} });

    expect(warnings).toEqual([]);
  });
});
