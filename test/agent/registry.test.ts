import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { builtin } from '../../src/agent/builtin.ts';
import { loadRegistry } from '../../src/agent/registry.ts';
import { upstreamPollsters } from '../../src/agent/upstream-pollsters.ts';
import { describeError } from '../../src/errors.ts';
import { fakeHost } from '../../src/testing.ts';
import { tempFiles } from '../config/temp-files.ts';

const plugin = (name: string) => fileURLToPath(new URL(`../fixtures/plugins/${name}.mjs`, import.meta.url));

async function load(request: Partial<Parameters<typeof loadRegistry>[0]> = {}) {
  const host = fakeHost();
  const registry = await loadRegistry({ namespaces: ['host'], plugins: [], ...request }, host);
  const names = registry.pollsters.map(({ name }) => name);
  return { registry, names, lines: host.lines };
}

describe('the manifest', () => {
  it('names every folder of built-in pollsters', () => {
    const folders = readdirSync(new URL('../../src/pollsters', import.meta.url));

    // What operators define has no namespace of its own.
    expect([...Object.keys(builtin), 'dynamic'].sort()).toEqual(folders.sort());
  });
});

describe.each(['compute', 'central', 'ipmi'])('the namespace %s', (namespace) => {
  it('has every pollster of upstream’s', async () => {
    const { names } = await load({ namespaces: [namespace] });

    expect(upstreamPollsters[namespace]?.filter((name) => !names.includes(name))).toEqual([]);
  });
});

describe('loadRegistry', () => {
  it('loads the pollsters of the namespaces that were asked for, and no others', async () => {
    const { registry, names } = await load();

    expect(names).toContain('hardware.cpu.load.1min');
    expect(new Set(registry.pollsters.map(({ namespace }) => namespace))).toEqual(new Set(['host']));
  });

  it('adds what a plugin file brings, under the file’s name', async () => {
    const { registry } = await load({ plugins: [plugin('good')] });

    expect(registry.pollsters).toContainEqual(
      expect.objectContaining({ namespace: 'host', name: 'good.gauge', package: plugin('good') }),
    );
    expect(registry.namespaces).toContain('lab');
  });

  it('takes a namespace of a plugin’s own', async () => {
    const { names } = await load({ namespaces: ['lab'], plugins: [plugin('good')] });

    expect(names).toEqual(['lab.gauge']);
  });

  it('takes a namespace that only definition files name, and tells of a folder of them that is not there', async () => {
    const folder = tempFiles({
      'a.yaml': `[{name: a, namespaces: lab, sample_type: gauge, unit: u, value_attribute: v, host_command: ls}]`,
    });
    const host = fakeHost({ options: { polling: { pollstersDefinitionsDirs: [folder, join(folder, 'none')] } } });

    const { pollsters } = await loadRegistry({ namespaces: ['lab'], plugins: [] }, host);

    expect(pollsters).toEqual([
      expect.objectContaining({ namespace: 'lab', name: 'a', package: join(folder, 'a.yaml') }),
    ]);
    expect(host.lines.map(({ fields }) => fields)).toEqual([
      { folder: join(folder, 'none'), reason: 'does not exist' },
    ]);
  });

  it('refuses a namespace that nobody provides, with the nearest and the known ones', async () => {
    await expect(load({ namespaces: ['hots'] })).rejects.toThrow(
      'no plugin provides namespace hots, did you mean host? (known: central, compute, host, ipmi)',
    );
  });

  it('takes only pollsters that match the list, and refuses a list that leaves none', async () => {
    const { names } = await load({ pollsterList: ['hardware.cpu.load.*'] });

    expect(names.sort()).toEqual(['hardware.cpu.load.15min', 'hardware.cpu.load.1min', 'hardware.cpu.load.5min']);
    await expect(load({ pollsterList: ['gpu.*'] })).rejects.toThrow(
      'no pollster matches --pollster-list gpu.* (known: ',
    );
  });

  it.each([
    ['throws-at-import', 'no such device'],
    ['api-2', 'expected api: 1, got 2'],
    ['not-there', 'there is no such file'],
    ['hangs-at-import', 'loading not done after 0.2 s'],
    ['empty', 'expected one of pollsters, discoveries, endpoints, traits, publishers'],
  ])('leaves out a plugin that cannot be loaded (%s) and says why', async (name, reason) => {
    const { names, lines } = await load({ plugins: [plugin(name)], patience: name.startsWith('hangs') ? 200 : 10_000 });

    const errors = lines.filter(({ level }) => level === 'error');
    expect(names).toContain('hardware.cpu.load.1min');
    expect(errors).toHaveLength(1);
    expect(describeError(Object(errors[0]?.fields).err)).toContain(reason);
  });

  it('leaves out a member whose factory does not end', async () => {
    const { names, lines } = await load({ plugins: [plugin('hangs')], patience: 200 });

    expect(names).toContain('hardware.cpu.load.1min');
    const errors = lines.filter(({ level }) => level === 'error');
    expect(errors.map(({ fields }) => describeError(Object(fields).err))).toEqual(['its factory not done after 0.2 s']);
  });

  it('leaves out members whose factory throws or whose shape is wrong, and keeps their neighbours', async () => {
    const { names, lines } = await load({ plugins: [plugin('throws-in-factory')] });

    expect(names).toContain('good.neighbour');
    expect(names).not.toContain('bad.factory');
    expect(names).not.toContain('bad.meters');
    expect(lines.map(({ fields }) => (fields as { pollster?: string }).pollster)).toEqual(
      expect.arrayContaining(['bad.factory', 'bad.meters']),
    );
  });

  it('keeps the first of two pollsters of one name and warns of the second', async () => {
    const { registry, lines } = await load({ plugins: [plugin('throws-in-factory')] });

    const same = registry.pollsters.filter(({ name }) => name === 'hardware.cpu.load.1min');
    expect(same.map((one) => one.package)).toEqual(['ceilometer-ts']);
    expect(lines).toContainEqual(expect.objectContaining({ level: 'warn' }));
  });
});
