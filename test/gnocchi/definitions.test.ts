import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { findDefinitions, readDefinitions } from '../../src/gnocchi/definitions.ts';
import { resourceTypes } from '../../src/gnocchi/resource-types.ts';

const etc = fileURLToPath(new URL('../../etc/ceilometer/', import.meta.url));
const path = findDefinitions(undefined, []);
const shipped = readDefinitions(path);

describe('the shipped gnocchi_resources.yaml', () => {
  it('covers every meter that a pollster has', () => {
    const text = readFileSync(new URL('../../docs/meters.md', import.meta.url), 'utf8');
    const meters = [...text.matchAll(/^\| `([^`]+)` \|/gm)].map(([, name = '']) => name);

    expect(meters.length).toBeGreaterThan(100);
    expect(meters.filter((meter) => !shipped.byMeter.has(meter))).toEqual([]);
  });

  it('covers every meter of the shipped meter definitions that is named there', () => {
    const meters = readdirSync(`${etc}meters.d`)
      .flatMap((name) => parse(readFileSync(`${etc}meters.d/${name}`, 'utf8'), { merge: true, version: '1.1' }).metric)
      .map(({ name }: { name: string }) => name)
      .filter((name) => !name.startsWith('$'));

    expect(meters.length).toBeGreaterThan(30);
    expect(meters.filter((meter) => !shipped.byMeter.has(meter))).toEqual([]);
  });

  it('covers the meters of endpoints, and those whose names come from notifications of Keystone and Swift', () => {
    const meters = ['instance', 'hardware.ipmi.fan', 'identity.authenticate.failure', 'storage.objects.incoming.bytes'];

    expect(meters.filter((meter) => !shipped.byMeter.has(meter))).toEqual([]);
  });

  it('names the types that ceilometer-upgrade creates, with their attributes, and one that every Gnocchi has', () => {
    const { resources } = parse(readFileSync(path, 'utf8'), { merge: true, version: '1.1' }) as {
      resources: { resource_type: string; attributes?: object; event_attributes?: object }[];
    };
    const always = ['id', 'user_id', 'project_id'];
    const unknown = resources.flatMap(({ resource_type: type, attributes = {}, event_attributes: traits = {} }) =>
      [...Object.keys(attributes), ...Object.keys(traits)]
        .filter((name) => !always.includes(name) && resourceTypes[type]?.[name] === undefined)
        .map((name) => `${type}.${name}`),
    );

    expect(resources.map(({ resource_type: type }) => type).sort()).toEqual(
      [...Object.keys(resourceTypes), 'generic'].sort(),
    );
    expect(unknown).toEqual([]);
  });

  it('keeps counters with their rate', () => {
    const { metrics } = shipped.byMeter.get('cpu') ?? { metrics: new Map() };

    expect(metrics.get('cpu')).toBe('ceilometer-low-rate');
    expect(metrics.get('memory.usage')).toBe('ceilometer-low');
    expect(shipped.archivePolicies.map(({ name }) => name)).toEqual([
      'ceilometer-low',
      'ceilometer-low-rate',
      'ceilometer-high',
      'ceilometer-high-rate',
    ]);
  });
});

describe('definitions of resources', () => {
  const folder = mkdtempSync(join(tmpdir(), 'ceilometer-gnocchi-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  function read(text: string, policy?: string) {
    writeFileSync(join(folder, 'gnocchi_resources.yaml'), text);
    return readDefinitions(findDefinitions(undefined, [folder]), policy);
  }

  it('are taken from the configuration directories first, and take metrics as a list', () => {
    const { byMeter } = read('resources:\n  - {resource_type: t, metrics: [a, b]}\n');

    expect([...byMeter.keys()]).toEqual(['a', 'b']);
    expect(byMeter.get('a')?.metrics.get('a')).toBe('ceilometer-low');
  });

  it('give way to the archive policy of the URL', () => {
    const text = 'resources:\n  - {resource_type: t, metrics: {a: {archive_policy_name: own}, b: }}\n';

    expect([...(read(text).byMeter.get('a')?.metrics ?? [])]).toEqual([
      ['a', 'own'],
      ['b', 'ceilometer-low'],
    ]);
    expect(read(text, 'url').byMeter.get('a')?.metrics.get('a')).toBe('url');
  });

  it('match event types by wildcards, take traits and keep an id safe in a query', () => {
    const { byEvent } = read(
      `resources:
  - resource_type: t
    metrics: {}
    event_delete: [x.delete.*, y.delete]
    event_attributes: {id: resource_id, project_id: project_id}
    event_associated_resources: {u: '{"=": {"of": "%s"}}'}
`,
    );
    const found = byEvent('x.delete.end');
    const traits = [
      { name: 'resource_id', type: 'text', value: 'r1' },
      { name: 'other', type: 'text', value: 'o' },
    ] as const;

    expect(found?.operation).toBe('delete');
    expect(byEvent('z.delete')).toBeUndefined();
    const event = { messageId: 'm', eventType: 'x', generated: '', traits, raw: {} };
    expect(found?.resource.eventAttributes(event)).toEqual({ id: 'r1' });
    expect(found?.resource.associated[0]?.query('a"$&b')).toEqual({ '=': { of: 'a"$&b' } });
  });

  it.each([
    ['resources: {}', /gnocchi_resources.yaml:1: expected a mapping with a list named resources/],
    ['resources:\n  - metrics: {}\n', /:2: resource_type: expected a text, got nothing/],
    ['resources:\n  - resource_type: t\n', /:2: t: metrics: expected a mapping, got nothing/],
    ['resources:\n  - {resource_type: t, metrics: {}, event_delete: d}\n', /:2: t: event_attributes has no id/],
    ['resources:\n  - {resource_type: t, metrics: {}, attributes: {a: "x["}}\n', /:2: a: the path 'x\[' cannot/],
    [
      'resources:\n  - {resource_type: t, metrics: {}, event_associated_resources: {u: "{%s"}}\n',
      /:2: t: event_associated_resources.u: no JSON/,
    ],
    ['archive_policies: [low]\n', /:1: archive_policies: expected a mapping, got "low"/],
  ])('are refused where they are wrong, with file and line: %j', (text, message) => {
    expect(() => read(text)).toThrow(message);
  });

  it('are refused where the file of the URL is not there', () => {
    expect(() => findDefinitions('other.yaml', [folder])).toThrow(/other.yaml does not exist, nor is it in/);
  });
});
