import { existsSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { findAuthentication } from '../../../src/pollsters/dynamic/authentication.ts';
import { stringifyJson } from '../../../src/wire/json.ts';
import { eventually } from '../../helpers/eventually.ts';
import { type Answer, json } from '../../helpers/fake-openstack.ts';
import { cloudOf, load, loadFiles } from './run.ts';

function servers(more = '', value = 'v'): string {
  return `
- name: dynamic.servers
  sample_type: gauge
  unit: u
  value_attribute: "${value}"
  endpoint_type: compute
  url_path: servers
${more}`;
}

function command(line: string, more = ''): string {
  return `
- name: dynamic.command
  sample_type: gauge
  unit: u
  value_attribute: "out | len(value)"
  resource_id_attribute: out
  response_handlers: [text]
  host_command: ${line}
${more}`;
}

describe('definitions', () => {
  it('are taken from all files in order, the first of two of one name', async () => {
    const { names, told } = await loadFiles({
      'b.yaml': servers(),
      'a.yaml': servers().replace('unit: u', 'unit: first'),
      'c.yml': command('echo'),
      'empty.yaml': '',
      'broken.yaml': '- name: [',
      'scalar.yaml': 'text',
    });

    expect(names).toEqual(['dynamic.servers']);
    expect(told.filter((line) => line.startsWith('warn'))).toEqual([
      'warn dynamic pollster is defined twice, the first is kept dynamic.servers b.yaml a.yaml',
    ]);
    expect(told.filter((line) => line.startsWith('error'))).toEqual([
      expect.stringContaining('broken.yaml:1: not valid YAML'),
      expect.stringContaining('scalar.yaml:1: expected a list, got "text"'),
    ]);
  });

  it('belong to the namespaces they name, and never take the place of a built-in pollster', async () => {
    const text = `${servers('  namespaces: [lab, other]')}${servers('  namespaces: host').replace('dynamic.servers', 'hardware.cpu.load.1min')}`;

    const { names, told } = await load(text, undefined, ['lab']);

    expect(names).toEqual(['dynamic.servers']);
    expect(told).toContainEqual(expect.stringContaining('a pollster of this name is there already and is kept'));
  });

  it.each([
    [
      'value_attribute: "v | value.__class__"',
      'value_attribute: expression "v | value.__class__": the attribute .__class__ is not supported',
    ],
    [`metadata_fields: ["v | __import__('os').getcwd() + value"]`, 'the function __import__() is not supported'],
    ['next_sample_url_attribute: "a | [value"', 'expression "a | [value": no Python expression'],
    [
      'host_command: "open(\'/etc/passwd\').read()"',
      'host_command: expression "open(\'/etc/passwd\').read()": the function open() is not supported',
    ],
    [
      'module: os, authentication_object: system',
      'system of the Python module os is not known, S3Auth of awsauth and HTTPBasicAuth are',
    ],
    ['extra_metadata_fields: {name: x}', 'x: url_path is missing'],
    ['timeout: soon', 'timeout: expected a number, got "soon"'],
  ])('are refused with file, line and expression: %s', async (option, reason) => {
    const value = option.startsWith('value_attribute') ? '' : 'value_attribute: v, ';
    const text = `\n\n- {name: bad, sample_type: gauge, unit: u, endpoint_type: compute, url_path: a, ${value}${option}}`;

    const { names, told } = await load(text);

    expect(names).toEqual([]);
    expect(told.filter((line) => line.startsWith('error'))).toEqual([expect.stringMatching(/pollsters\.yaml:3: /)]);
    expect(told.join()).toContain(reason);
  });
});

describe('an entry', () => {
  it('that lacks something is left out alone, and counted', async () => {
    const cloud = await cloudOf({
      '/servers': { servers: [{ id: 'a', v: 1 }, { id: 'b' }, { v: 3 }, 'text', { id: 'd', v: 4 }] },
    });
    const loaded = await load(servers(), cloud);

    const { samples, failures } = await loaded.poll();

    expect(samples.map(({ resourceId }) => resourceId)).toEqual(['a', 'd']);
    expect(failures).toEqual({ 'dynamic.servers': '3 entries are left out, first: there is no key "v"' });
  });

  it('whose value is no number gives no sample, which is told once', async () => {
    const values = [1, 2.5, true, '7', '1e2', null, 'ACTIVE', [], 9_007_199_254_740_993n, 3];
    const text = `{"servers": [${values.map((v, at) => `{"id": "s${at}", "v": ${typeof v === 'bigint' ? v : JSON.stringify(v)}}`)}, {"id": "f", "v": 4.0}]}`;
    const cloud = await cloudOf({ '/servers': json(text) });
    const loaded = await load(servers(), cloud);

    const { samples, failures } = await loaded.poll();
    await loaded.poll();

    expect(failures).toEqual({});
    expect(samples.map(({ volume }) => volume)).toEqual([1n, 2.5, 1n, 7n, 100, 9_007_199_254_740_993n, 3n, 4]);
    expect(loaded.told).toEqual(['warn values that are no numbers are left out dynamic.servers 3 None']);
  });

  // What upstream's pollster made of the same entry.
  it('has its value in place of what it calls value, and metadata of each type as it came', async () => {
    const entry = '{"id": "a", "value": "7", "metadata": {"12": 1.0, "k": 1, "3": [2.0]}, "note": 5.0}';
    const cloud = await cloudOf({ '/servers': json(`{"servers": [${entry}]}`) });
    const fields = 'metadata_fields: [value, metadata, note, "metadata | str(value)", "metadata | list(value)"]';
    const loaded = await load(servers(`  ${fields}`, 'value | int(value) * 2'), cloud);

    const { samples } = await loaded.poll();

    expect(stringifyJson(samples[0]?.metadata['value'] ?? null)).toBe('14');
    expect(stringifyJson(samples[0]?.metadata['note'] ?? null)).toBe('5.0');
    expect(samples[0]?.metadata['metadata | str(value)']).toBe("{'12': 1.0, 'k': 1, '3': [2.0]}");
    expect(samples[0]?.metadata['metadata | list(value)']).toEqual(['12', 'k', '3']);
    expect(stringifyJson(samples[0]?.metadata['metadata'] ?? null)).toContain('"k": 1');
  });

  it('has its metadata renamed one after the other, as the fields come', async () => {
    const cloud = await cloudOf({ '/servers': { servers: [{ id: 'a', v: 1, one: 'first', two: 'second' }] } });
    const mapping = 'metadata_mapping: {one: two, two: three}, preserve_mapped_metadata: false'.split(', p');
    const loaded = await load(
      servers(`  metadata_fields: {one: ignored, two: ignored}\n  ${mapping.join('\n  p')}`),
      cloud,
    );

    const { samples } = await loaded.poll();

    expect(samples[0]?.metadata).toEqual({ three: 'first' });
  });

  it('maps values of other types as the file spells them', async () => {
    const cloud = await cloudOf({
      '/servers': {
        servers: [
          { id: 'a', v: true },
          { id: 'b', v: 1 },
          { id: 'c', v: null },
        ],
      },
    });
    const loaded = await load(servers('  value_mapping: {true: 10, 1: 20, null: 30}'), cloud);

    const { samples } = await loaded.poll();

    expect(samples.map(({ volume }) => volume)).toEqual([10n, 20n, 30n]);
  });
});

describe('pages', () => {
  it('of several paths are polled one after the other', async () => {
    const cloud = await cloudOf({ '/a': [{ id: 'a', v: 1 }], '/b': [{ id: 'b', v: 2 }] });
    const loaded = await load(servers().replace('url_path: servers', 'url_path: [a, b]'), cloud);

    const { samples } = await loaded.poll();

    expect(samples.map(({ resourceId }) => resourceId)).toEqual(['a', 'b']);
  });

  it('that go round in a circle end the poll, and what came before counts', async () => {
    const cloud = await cloudOf({ '/servers': { servers: [{ id: 'a', v: 1 }], next: 'servers' } });
    const loaded = await load(servers('  next_sample_url_attribute: next'), cloud);

    const { samples, failures } = await loaded.poll();

    expect(samples).toHaveLength(1);
    expect(failures['dynamic.servers']).toBe('dynamic.servers: its pages go round in a circle');
  });

  it('of another host get neither the token nor the credentials', async () => {
    const elsewhere = await cloudOf({ '/servers': [] });
    const link = `${elsewhere.url}/servers?page=2`;
    const cloud = await cloudOf({
      '/servers': { servers: [{ id: 'a', v: 1 }], next: link },
      '/servers?page=2': { servers: [] },
    });
    const api = servers(`  next_sample_url_attribute: next
  module: requests
  authentication_object: HTTPBasicAuth
  authentication_parameters: a,b`)
      .replace('url_path: servers', `url_path: ${cloud.url}/servers`)
      .replace('dynamic.servers', 'dynamic.api');
    const loaded = await load(servers('  next_sample_url_attribute: next') + api, cloud);

    const { failures } = await loaded.poll();

    expect(elsewhere.asked).toEqual([]);
    expect(cloud.asked.map(({ path }) => path)).toEqual(['/servers', '/servers?page=2', '/servers']);
    expect(failures).toEqual({
      'dynamic.api': `dynamic.api: the next page is at ${elsewhere.url}, which is another host`,
    });
  });
});

describe('a service', () => {
  it('that the catalogue lacks gives nothing, with one warning', async () => {
    const cloud = await cloudOf({}, ['image']);
    const loaded = await load(servers(), cloud);

    await loaded.poll();
    const { failures } = await loaded.poll();

    expect(failures).toEqual({});
    expect(loaded.told).toEqual(['warn the service catalogue has no such endpoint compute']);
  });

  it('that does not answer in time fails the poll', async () => {
    const cloud = await cloudOf({ '/servers': () => {} });
    const loaded = await load(servers('  timeout: 1'), cloud);

    const { failures } = await loaded.poll();

    expect(failures).toEqual({ 'dynamic.servers': 'compute GET /servers not done after 1 s' });
  });

  it('gets the headers of the definition', async () => {
    const cloud = await cloudOf({ '/servers': [{ id: 'a', v: 1 }] });
    const loaded = await load(servers('  headers: {"OpenStack-API-Version": "compute 2.65"}'), cloud);

    await loaded.poll();

    expect(cloud.asked[0]?.headers).toMatchObject({
      'openstack-api-version': 'compute 2.65',
      'x-auth-token': 'token-1',
    });
  });
});

const text =
  (body: string): Answer =>
  (_asked, response) =>
    void response.end(body);

describe('an API outside of OpenStack', () => {
  const definition = (url: string) => `
- name: outside
  sample_type: gauge
  unit: x
  value_attribute: count
  url_path: ${url}/count
  module: requests.auth
  authentication_object: HTTPBasicAuth
  barbican_secret_id: own
`;

  it.each([
    ['its own secret', undefined, 'secret of own'],
    ['the one that the discovery of a source names', 'barbican:other', 'secret of other'],
    ['the same, written as a URL', 'barbican://other', 'secret of other'],
    ['its own where the discovery names none', 'barbican', 'secret of own'],
  ])('is given %s', async (_what, discovery, secret) => {
    const cloud = await cloudOf(
      {
        '/v1/secrets/own/payload': text('user, secret of own'),
        '/v1/secrets/other/payload': text('user, secret of other'),
        '/count': [{ id: 'a', count: 7 }],
      },
      ['key-manager'],
    );
    const { poll } = await load(definition(cloud.url), cloud);

    const { samples, failures } = await poll(discovery);

    expect(failures).toEqual({});
    expect(samples.map(({ volume }) => volume)).toEqual([7n]);
    expect(cloud.asked.at(-1)?.headers['authorization']).toBe(
      `Basic ${Buffer.from(`user:${secret}`).toString('base64')}`,
    );
  });

  it('is asked within a budget of its own', async () => {
    let [underWay, most] = [0, 0];
    const count: Answer = async (asked, response) => {
      underWay += 1;
      most = Math.max(most, underWay);
      await sleep(20);
      underWay -= 1;
      return json([{ id: 'a', count: 1 }])(asked, response);
    };
    const cloud = await cloudOf({ '/v1/secrets/own/payload': text('a,b'), '/count': count }, ['key-manager']);
    const { host, poll } = await load(definition(cloud.url), cloud, ['central'], { maxRequestsInFlight: 1 });

    const polls = await Promise.all([poll(), poll(), poll()]);

    expect(polls.map(({ samples }) => samples.length)).toEqual([1, 1, 1]);
    expect(most).toBe(1);
    expect(host.budget.use()).toMatchObject([{ service: new URL(cloud.url).host, requests: 3, waits: 2 }]);
  });

  it('is left alone with the connections closed when the configuration goes', async () => {
    const sockets = new Set<object>();
    const cloud = await cloudOf({ '/v1/secrets/own/payload': text('a,b') }, ['key-manager']);
    const server = createServer((_request, response) => response.end('[{"id": "a", "count": 1}]'));
    server.keepAliveTimeout = 60_000;
    server.on('connection', (socket) => {
      sockets.add(socket);
      socket.on('close', () => sockets.delete(socket));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const { poll, close } = await load(definition(`http://127.0.0.1:${port}`), cloud);

    await poll();
    const open = sockets.size;
    await close();

    expect(open).toBe(1);
    await eventually(() => sockets.size).toBe(0);
    await new Promise((resolve) => server.close(resolve));
  });
});

describe('a command', () => {
  it('that stands in the definition may use a shell', async () => {
    const loaded = await load(command('"echo $((2 + 3)) | tr 5 6"'));

    const { samples } = await loaded.poll();

    expect(samples[0]?.resourceId).toBe('6');
  });

  it('that is a list of words uses none', async () => {
    const loaded = await load(command('[echo, "$HOME; true"]'));

    const { samples } = await loaded.poll();

    expect(samples[0]?.resourceId).toBe('$HOME; true');
  });

  it('that is made of an answer cannot be led astray by it', async () => {
    const cloud = await cloudOf({
      '/servers': {
        servers: [
          { id: 'a', v: 1, name: 'x; touch owned' },
          { id: 'b', v: 1, name: 'fine' },
        ],
      },
    });
    const loaded = await load('', cloud);
    const owned = join(loaded.folder, 'owned');
    const nested = (quote: string) => `  extra_metadata_fields:
    name: os
    host_command: "'echo ${quote}' + sample['name'].replace('owned', '${owned}') + '${quote}'"
    response_handlers: [text]
    value: out`;
    const bare = await load(servers(nested('')), cloud);
    const quoted = await load(servers(nested('\\"')), cloud);

    const [first, second] = [await bare.poll(), await quoted.poll()];

    expect(existsSync(owned)).toBe(false);
    expect(first.samples.map(({ metadata }) => metadata)).toEqual([]);
    expect(first.failures['dynamic.servers']).toContain('is run without a shell, which ";" outside of quotes needs');
    expect(second.samples.map(({ metadata }) => metadata)).toEqual([{ os: `x; touch ${owned}` }, { os: 'fine' }]);
  });

  it('that takes too long is killed with what it started', async () => {
    const loaded = await load(command('"sleep 60 & sleep 60"', '  timeout: 0.2'));

    const { failures } = await loaded.poll();

    expect(failures).toEqual({ 'dynamic.command': 'dynamic.command: the command /bin/sh not done after 0.2 s' });
  });

  it('that fails without a word on its output says why', async () => {
    const loaded = await load(command('"echo no such thing >&2; exit 3"'));

    const { failures } = await loaded.poll();

    expect(failures).toEqual({ 'dynamic.command': 'dynamic.command: the command ended with 3: no such thing' });
  });
});

describe('extra metadata', () => {
  const extra = `  extra_metadata_fields:
    - name: project_name
      endpoint_type: identity
      url_path: "'projects/' + sample['project_id']"
      value: name
      metadata_fields: [id]`;
  const entry = (id: string, project: string) => ({ id, v: 1, project_id: project });

  it('that is not to be had costs the sample that needs it, no other', async () => {
    const cloud = await cloudOf(
      {
        '/servers': { servers: [entry('a', 'gone'), entry('b', 'p1')] },
        '/projects/p1': { project: { id: 'p1', name: 'alpha' } },
      },
      ['compute', 'identity'],
    );
    const loaded = await load(servers(extra), cloud);

    const { samples, failures } = await loaded.poll();

    expect(samples.map(({ resourceId, metadata }) => [resourceId, metadata])).toEqual([
      ['b', { project_name: 'alpha', id: 'p1' }],
    ]);
    expect(failures['dynamic.servers']).toContain(
      '1 entries are left out, first: identity GET /projects/gone answered 404',
    );
  });

  it('is skipped for samples that contain what is named, and asked for once an hour', async () => {
    const cloud = await cloudOf(
      {
        '/servers': { servers: [entry('a', 'p1'), { ...entry('b', 'p1'), v: 2 }] },
        '/projects/p1': { project: { id: 'p1', name: 'alpha' } },
      },
      ['compute', 'identity'],
    );
    const loaded = await load(servers(`${extra}\n  extra_metadata_fields_skip: [{}, {value: 2}]`), cloud);

    await loaded.poll();
    const { samples } = await loaded.poll();

    expect(samples.map(({ metadata }) => Object.keys(metadata))).toEqual([['project_name', 'id'], []]);
    expect(cloud.asked.filter(({ path }) => path === '/projects/p1')).toHaveLength(1);
  });

  it('never takes the place of the sample’s own', async () => {
    const cloud = await cloudOf(
      { '/servers': { servers: [entry('a', 'p1')] }, '/projects/p1': { project: { id: 'p1', name: 'alpha' } } },
      ['compute', 'identity'],
    );
    const loaded = await load(servers(`${extra}\n  metadata_fields: [id]`), cloud);

    const { samples } = await loaded.poll();

    expect(samples[0]?.metadata).toEqual({ id: 'a', project_name: 'alpha' });
    expect(loaded.told).toEqual([expect.stringContaining('the extra field is left out dynamic.servers id')]);
  });
});

describe('the signature of S3', () => {
  it.each([
    ['http://gw.test/admin/usage?show-entries=False', 'cVPOClEUf6UjBQThKEzgd2ci4QU='],
    ['http://box.gw.test/a%20b?acl&x=1', 'Q/OFIEMbqZt32vt90RNJkGoazv0='],
  ])('is that of version 2: %s', (url, signature) => {
    const headers = findAuthentication('awsauth', 'S3Auth')?.(
      new URL(url),
      ['key', 'secret', 'gw.test'],
      new Date('2026-11-22T15:00:00Z'),
    );

    expect(headers).toEqual({ date: 'Sun, 22 Nov 2026 15:00:00 GMT', authorization: `AWS key:${signature}` });
  });
});
