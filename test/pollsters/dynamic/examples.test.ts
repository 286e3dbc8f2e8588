/** The examples of upstream's documentation, each against answers of the form that it describes. */
import { describe, expect, it } from 'vitest';
import { cloudOf, load } from './run.ts';

const usage = {
  entries: [],
  summary: [
    {
      categories: [
        { category: 'get_obj', ops: 24, successful_ops: 20, bytes_sent: 5, bytes_received: 1 },
        { category: 'put_obj', ops: 23, successful_ops: 23, bytes_sent: 0, bytes_received: 3_444_350 },
      ],
      total: { ops: 47, successful_ops: 43 },
      user: 'p1$p1',
    },
  ],
};

function gateway(url: string, name: string, value: string): string {
  return `
- name: "${name}"
  sample_type: "gauge"
  unit: "request"
  value_attribute: "${value}"
  url_path: "${url}/admin/usage"
  module: "awsauth"
  authentication_object: "S3Auth"
  authentication_parameters: "<access_key>, <secret_key>,<rados_gateway_server>"
  user_id_attribute: "user | value.split('$')[0]"
  project_id_attribute: "user | value.split('$') | value[0]"
  resource_id_attribute: "user  | value.split ('$') | value[0] | value.strip()"
  response_entries_key: "summary"
`;
}

describe('upstream’s examples', () => {
  it('poll the clusters of Magnum by the number of their status', async () => {
    const clusters = ['CREATE_COMPLETE', 'DELETE_FAILED', 'CREATE_FAILED', 'NEW_STATUS'].map((status, at) => ({
      uuid: `u${at}`,
      id: `c${at}`,
      status,
      labels: { a: 'b' },
      node_count: at,
    }));
    const cloud = await cloudOf({ '/v1/clusters/detail': { clusters } }, ['container-infra']);
    const loaded = await load(
      `
- name: "dynamic.magnum.cluster"
  sample_type: "gauge"
  unit: "cluster"
  value_attribute: "status"
  endpoint_type: "container-infra"
  url_path: "v1/clusters/detail"
  metadata_fields:
    - "labels"
    - "node_count"
  skip_sample_values:
    - "CREATE_FAILED"
  value_mapping:
    CREATE_COMPLETE: "2"
    DELETE_FAILED: "7"
`,
      cloud,
    );

    const { samples, failures } = await loaded.poll();

    expect(failures).toEqual({});
    expect(samples.map(({ resourceId, volume }) => [resourceId, volume])).toEqual([
      ['c0', 2n],
      ['c1', 7n],
      ['c3', -1n],
    ]);
    expect(samples[1]?.metadata).toEqual({ labels: { a: 'b' }, node_count: 1 });
    expect(loaded.told).toContain(
      'warn value_mapping lacks a value, default_value takes its place dynamic.magnum.cluster NEW_STATUS',
    );
  });

  it('poll RADOS gateway with the signature of S3', async () => {
    const cloud = await cloudOf({ '/admin/usage': usage });
    const loaded = await load(gateway(cloud.url, 'dynamic.radosgw.api.request', 'total.ops'), cloud);

    const { samples, failures } = await loaded.poll();

    expect(failures).toEqual({});
    expect(samples).toEqual([
      expect.objectContaining({ volume: 47n, resourceId: 'p1', userId: 'p1', projectId: 'p1', type: 'gauge' }),
    ]);
    expect(cloud.asked[0]?.headers['authorization']).toMatch(/^AWS <access_key>:[\w+/]{27}=$/);
  });

  it('make a meter of each category of RADOS gateway', async () => {
    const cloud = await cloudOf({ '/admin/usage': usage });
    const loaded = await load(
      gateway(cloud.url, 'dynamic.radosgw.api.request.{category}', '[categories].ops') +
        gateway(cloud.url, 'dynamic.radosgw.api.bytes_received.{category}', '[categories].bytes_received'),
      cloud,
    );

    const { samples } = await loaded.poll();

    expect(samples.map(({ name, volume }) => [name, volume])).toEqual([
      ['dynamic.radosgw.api.request.get_obj', 24n],
      ['dynamic.radosgw.api.request.put_obj', 23n],
      ['dynamic.radosgw.api.bytes_received.get_obj', 1n],
      ['dynamic.radosgw.api.bytes_received.put_obj', 3_444_350n],
    ]);
  });

  it.each([
    ['a link', 'server_link', (link: string | undefined) => link],
    [
      'a list of links',
      "server_link | filter(lambda v: v.get('rel') == 'next', value) | list(value) | value[0] | value.get('href')",
      (link: string | undefined) => [
        { href: 'http://test.com/v1/test-volumes/marker=b1', rel: 'prev' },
        ...(link === undefined ? [] : [{ href: link, rel: 'next' }]),
      ],
    ],
  ])('follow %s to the next page, and end where there is none', async (_what, attribute, links) => {
    const server = (id: number) => ({ id, name: `n${id}`, volume: [{ name: 'a', tmp: id * 10 }] });
    const cloud = await cloudOf({
      '/v1/test-volumes': {
        server_link: links('http://test.com/v1/test-volumes/marker=c3'),
        servers: [server(1), server(2)],
      },
      '/v1/test-volumes/marker=c3': { server_link: links(undefined), servers: [server(3)] },
    });
    const loaded = await load(
      `
- name: "dynamic.linked.response.{name}"
  sample_type: "gauge"
  unit: "request"
  value_attribute: "[volume].tmp"
  endpoint_type: compute
  url_path: "v1/test-volumes"
  response_entries_key: "servers"
  next_sample_url_attribute: "${attribute}"
`,
      cloud,
    );

    const { samples, failures } = await loaded.poll();

    expect(failures).toEqual({});
    expect(samples.map(({ name, resourceId, volume }) => [name, resourceId, volume])).toEqual([
      ['dynamic.linked.response.a', '1', 10n],
      ['dynamic.linked.response.a', '2', 20n],
      ['dynamic.linked.response.a', '3', 30n],
    ]);
  });

  it('read what a command prints', async () => {
    const loaded = await load(`
- name: "dynamic.host.command"
  sample_type: "gauge"
  unit: "request"
  value_attribute: "value"
  response_entries_key: "test"
  host_command: "echo '<test><user_id>id1_u</user_id><project_id>id1_p</project_id><id>id1</id><meta>meta-data-to-store</meta><value>1</value></test>'"
  metadata_fields:
      - "meta"
  response_handlers:
      - xml
`);

    const { samples, failures } = await loaded.poll();

    expect(failures).toEqual({});
    expect(samples).toEqual([
      expect.objectContaining({
        volume: 1n,
        resourceId: 'id1',
        userId: 'id1_u',
        metadata: { meta: 'meta-data-to-store' },
      }),
    ]);
  });

  it('go on with the command that the answer before makes', async () => {
    const page = (key: string, token?: string) =>
      JSON.stringify({ Contents: [{ Key: key, Size: 7, Owner: { ID: 'o' } }], ...(token && { NextToken: token }) });
    const loaded = await load(`
- name: "dynamic.s3.objects.size"
  sample_type: "gauge"
  unit: "request"
  value_attribute: "Size"
  project_id_attribute: "Owner.ID"
  user_id_attribute: "Owner.ID"
  resource_id_attribute: "Key"
  response_entries_key: "Contents"
  host_command: echo '${page('a', 'p 2; exit')}'
  next_sample_url_attribute: >-
    NextToken | 'printf \\'{"Contents":[{"Key":"%s","Size":8,"Owner":{"ID":"o"}}]}\\' "' + value + '"'
`);

    const { samples, failures } = await loaded.poll();

    expect(failures).toEqual({});
    expect(samples.map(({ resourceId, volume }) => [resourceId, volume])).toEqual([
      ['a', 7n],
      ['p 2; exit', 8n],
    ]);
  });

  it('read lists, JSON, XML and text', async () => {
    const cloud = await cloudOf({
      '/list': [{ id: 'l', v: 1 }],
      '/xml': (_asked: unknown, response: { end(text: string): void }) =>
        response.end('<test a="1"><list><id>x</id><v>2</v></list><list><id>y</id><v>3.50</v></list></test>'),
      '/text': (_asked: unknown, response: { end(text: string): void }) => response.end('cpu 42\n'),
    });
    const one = (name: string, value: string, rest: string) =>
      `- {name: ${name}, sample_type: gauge, unit: u, value_attribute: "${value}", endpoint_type: compute, url_path: ${name}, ${rest}}\n`;
    const loaded = await load(
      one('list', 'v', 'response_handlers: [xml, json]') +
        one('xml', 'v', 'response_handlers: [json, xml], response_entries_key: test.list') +
        one(
          'text',
          'out | value.split()[1] | int(value)',
          'response_handlers: [text], resource_id_attribute: "out | value[:3]"',
        ),
      cloud,
    );

    const { samples, failures } = await loaded.poll();

    expect(failures).toEqual({});
    expect(samples.map(({ resourceId, volume }) => [resourceId, volume])).toEqual([
      ['l', 1n],
      ['x', 2n],
      ['y', 3.5],
      ['cpu', 42n],
    ]);
  });
});
