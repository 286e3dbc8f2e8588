/** What a real Gnocchi cannot be made to do: the rest is in test/gnocchi/publisher.real.ts. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createHost } from '../../src/agent/host.ts';
import { loadConfig } from '../../src/config/load.ts';
import type { Event, NotificationSample } from '../../src/notification.ts';
import { parsePublisherUrl } from '../../src/pipeline/publisher-url.ts';
import { gnocchiPublisher } from '../../src/publishers/gnocchi.ts';
import { soon } from '../helpers/patience.ts';
import { recordingLog } from '../helpers/recording-log.ts';

interface Asked {
  readonly what: string;
  readonly body: string;
}

type Answer = (asked: Asked, times: number, response: ServerResponse) => void;

const json = (response: ServerResponse, status: number, value?: unknown) => {
  response.writeHead(status, { 'content-type': 'application/json' }).end(value && JSON.stringify(value));
};

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

/** Answers as told, and creates all that it is asked to. `times` is how often the same was asked before. */
async function start(url: string, answer: Answer = () => {}) {
  const asked: Asked[] = [];
  const heads: IncomingMessage[] = [];
  const server = createServer(async (request, response) => {
    const one = { what: `${request.method} ${request.url}`, body: await bodyOf(request) };
    const times = asked.filter(({ what }) => what === one.what).length;
    asked.push(one);
    heads.push(request);
    answer(one, times, response);
    const hangs = response.getHeader('x-hang') !== undefined;
    if (!response.writableEnded && !hangs) json(response, one.what.includes('/batch/') ? 202 : 201);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const overrides = { serviceCredentials: { authType: 'gnocchi-basic', user: 'admin', endpoint } };
  const log = recordingLog();
  const host = createHost(loadConfig({ files: [], dirs: [], env: {}, overrides }).config, log);
  const publisher = gnocchiPublisher(parsePublisherUrl(url), host);
  const close = () => {
    server.close();
    server.closeAllConnections();
  };
  onTestFinished(async () => {
    await publisher.close();
    await host.close();
    close();
  });
  const publish = (...samples: readonly NotificationSample[]) => publisher.publishSamples?.(samples, soon());
  const publishEvents = (...events: readonly Event[]) => publisher.publishEvents?.(events, soon());
  return { asked, heads, log, publish, publishEvents, close };
}

const URL_WITHOUT_FILTER = 'gnocchi://?enable_filter_project=false';
const BATCH = 'POST /v1/batch/resources/metrics/measures?create_metrics=True';

function sampleOf(resourceId: string, fields: Partial<NotificationSample> = {}): NotificationSample {
  return {
    id: 'id',
    name: 'cpu',
    type: 'cumulative',
    unit: 'ns',
    volume: 2n ** 63n,
    userId: 'u',
    userName: null,
    projectId: null,
    projectName: null,
    resourceId,
    timestamp: '2026-03-01T00:04:00+00:00',
    metadata: { display_name: 'web', instance_host: 'cmp01', flavor: { id: 'f', name: 'm1' } },
    source: 'openstack',
    ...fields,
  };
}

describe('gnocchi', () => {
  it("sends what upstream sends: policies once, resources by id, integers exact, then the resource's attributes", async () => {
    const gnocchi = await start(URL_WITHOUT_FILTER);

    await gnocchi.publish(sampleOf('b'), sampleOf('a/1', { volume: '7' }), sampleOf('b', { timestamp: 'later' }));
    await gnocchi.publish(sampleOf('b'));

    const policies = gnocchi.asked.splice(0, 4);
    expect(new Set(policies.map(({ what }) => what))).toEqual(new Set(['POST /v1/archive_policy/']));
    expect(policies[0]?.body).toBe(
      '{"name": "ceilometer-low", "back_window": 0, "aggregation_methods": ["mean"], "definition": [{"granularity": "5 minutes", "timespan": "30 days"}]}',
    );
    const attributes =
      '{"project_id": null, "host": "cmp01", "display_name": "web", "flavor_id": "f", "flavor_name": "m1"}';
    const of = (value: string, timestamp = '2026-03-01T00:04:00+00:00') =>
      `{"timestamp": "${timestamp}", "value": ${value}}`;
    const cpu = (...values: readonly string[]) =>
      `{"cpu": {"measures": [${values.join(', ')}], "archive_policy_name": "ceilometer-low-rate", "unit": "ns"}}`;
    const big = '9223372036854775808';
    const [first, second, third, fourth] = gnocchi.asked;
    expect(first).toEqual({ what: BATCH, body: `{"a_1": ${cpu(of('"7"'))}, "b": ${cpu(of(big), of(big, 'later'))}}` });
    expect([second, third]).toEqual(
      expect.arrayContaining(
        ['a_1', 'b'].map((id) => ({ what: `PATCH /v1/resource/instance/${id}`, body: attributes })),
      ),
    );
    expect(fourth).toEqual({ what: BATCH, body: `{"b": ${cpu(of(big))}}` });
    expect(gnocchi.asked).toHaveLength(4);
    expect(gnocchi.heads[4]?.headers).toMatchObject({
      authorization: 'basic YWRtaW46',
      'content-type': 'application/json',
      accept: 'application/json',
    });
  });

  it('creates what Gnocchi does not know, as upstream does, and does not send its attributes again', async () => {
    const unknown = { code: 400, description: { cause: 'Unknown resources', detail: [{ original_resource_id: 'a' }] } };
    const gnocchi = await start(URL_WITHOUT_FILTER, ({ what }, times, response) => {
      if (what === BATCH && times === 0) json(response, 400, unknown);
    });

    await gnocchi.publish(sampleOf('a'));

    expect(gnocchi.asked.slice(4).map(({ what }) => what)).toEqual([BATCH, 'POST /v1/resource/instance', BATCH]);
    expect(gnocchi.asked[5]?.body).toBe(
      '{"id": "a", "user_id": "u", "project_id": null, "host": "cmp01", "display_name": "web", "flavor_id": "f", "flavor_name": "m1"}',
    );
  });

  it('asks again when no answer came in time, and when the service is in trouble', async () => {
    const gnocchi = await start(`${URL_WITHOUT_FILTER}&timeout=0.3`, ({ what }, times, response) => {
      if (what === BATCH && times === 0) response.setHeader('x-hang', '1');
      if (what === BATCH && times === 1) json(response, 503);
    });

    await gnocchi.publish(sampleOf('a'));

    expect(gnocchi.asked.filter(({ what }) => what === BATCH)).toHaveLength(3);
  });

  it('rejects to be tried again when Gnocchi stays away, and makes the policies anew then', async () => {
    let down = true;
    const gnocchi = await start(URL_WITHOUT_FILTER, ({ what }, _times, response) => {
      if (down && what === 'POST /v1/archive_policy/') json(response, 500, { description: 'no indexer' });
    });

    await expect(gnocchi.publish(sampleOf('a'))).rejects.toMatchObject({
      code: 'ERR_DELIVERY',
      retryable: true,
      message: 'Gnocchi answered 500 no indexer',
    });
    down = false;
    await gnocchi.publish(sampleOf('a'));

    expect(gnocchi.asked.filter(({ what }) => what === BATCH)).toHaveLength(1);
  });

  it('rejects for good what Gnocchi refuses as a whole', async () => {
    const gnocchi = await start(`${URL_WITHOUT_FILTER}&archive_policy=none`, ({ what }, _times, response) => {
      if (what === BATCH) json(response, 400, { description: 'Archive policy none does not exist' });
    });

    await expect(gnocchi.publish(sampleOf('a'))).rejects.toMatchObject({
      retryable: false,
      message: 'Gnocchi answered 400 Archive policy none does not exist',
    });
    expect(gnocchi.asked.at(-1)?.body).toContain('"archive_policy_name": "none"');
  });

  it('does not create again and again what Gnocchi goes on to call unknown', async () => {
    const unknown = { description: { cause: 'Unknown resources', detail: [{ original_resource_id: 'a' }] } };
    const gnocchi = await start(URL_WITHOUT_FILTER, ({ what }, _times, response) => {
      if (what === BATCH) json(response, 400, unknown);
    });

    await expect(gnocchi.publish(sampleOf('a'))).rejects.toMatchObject({ retryable: false });
    expect(gnocchi.asked.filter(({ what }) => what === BATCH)).toHaveLength(2);
  });

  it('says that a resource type is missing, and sends the attributes again after a failure', async () => {
    const unknown = { description: { cause: 'Unknown resources', detail: [{ original_resource_id: 'a' }] } };
    const gnocchi = await start(URL_WITHOUT_FILTER, ({ what, body }, times, response) => {
      if (what === BATCH && body.includes('"a"')) json(response, 400, unknown);
      if (what === 'POST /v1/resource/instance') json(response, 404);
      if (what.startsWith('PATCH') && times === 0) json(response, 400, { description: 'no' });
    });

    await gnocchi.publish(sampleOf('a'), sampleOf('b'));
    await gnocchi.publish(sampleOf('b'));
    await gnocchi.publish(sampleOf('b'));

    expect(gnocchi.asked.filter(({ what }) => what.startsWith('PATCH'))).toHaveLength(2);
    expect(JSON.stringify(gnocchi.log.lines)).toMatch(/there is no resource type instance: run ceilometer-upgrade/);
  });

  const deleted = (traits: Readonly<Record<string, string>>): Event => ({
    messageId: 'm',
    eventType: 'compute.instance.delete.start',
    generated: '2026-03-01T00:00:00',
    traits: Object.entries(traits).map(([name, value]) => ({ name, type: 'text', value })),
    raw: {},
  });
  const whole = { instance_id: 'a', display_name: 'web', instance_flavor_id: 'f', instance_type: 'm1' };

  it('creates ended what an event ends before the first samples of it come', async () => {
    const gnocchi = await start(URL_WITHOUT_FILTER, ({ what }, _times, response) => {
      if (what === 'PATCH /v1/resource/instance/a') json(response, 404);
      if (what.includes('/search/')) json(response, 200, []);
    });

    await gnocchi.publishEvents(deleted(whole));

    expect(gnocchi.asked.map(({ what }) => what)).toEqual([
      'PATCH /v1/resource/instance/a',
      'POST /v1/resource/instance',
      'POST /v1/search/resource/instance_network_interface',
      'POST /v1/search/resource/instance_disk',
    ]);
    const { started_at: started, ...made } = JSON.parse(gnocchi.asked[1]?.body ?? '');
    expect(made).toEqual({ id: 'a', display_name: 'web', flavor_id: 'f', flavor_name: 'm1', ended_at: started });
    expect(Math.abs(Date.parse(`${started}Z`) - Date.now())).toBeLessThan(60_000);
    expect(gnocchi.log.told).toEqual([]);
  });

  it('ends what another agent creates at the same moment', async () => {
    const gnocchi = await start(URL_WITHOUT_FILTER, ({ what }, times, response) => {
      if (what === 'PATCH /v1/resource/instance/a') json(response, times === 0 ? 404 : 200);
      if (what === 'POST /v1/resource/instance') json(response, 409);
      if (what.includes('/search/')) json(response, 200, []);
    });

    await gnocchi.publishEvents(deleted(whole));

    expect(gnocchi.asked.map(({ what }) => what).slice(0, 3)).toEqual([
      'PATCH /v1/resource/instance/a',
      'POST /v1/resource/instance',
      'PATCH /v1/resource/instance/a',
    ]);
    expect(gnocchi.asked[2]?.body).toMatch(/^\{"ended_at": "20/);
  });

  it('is content when an event says too little of what Gnocchi does not know', async () => {
    const gnocchi = await start(URL_WITHOUT_FILTER, ({ what }, _times, response) => {
      if (what === 'PATCH /v1/resource/instance/a') json(response, 404);
      if (what === 'POST /v1/resource/instance') json(response, 400, { description: 'required key not provided' });
      if (what.includes('/search/')) json(response, 200, []);
    });

    await gnocchi.publishEvents(deleted({ instance_id: 'a' }));

    expect(gnocchi.log.told).toEqual([]);
  });

  it('ends a disk whose first samples come after the end of its instance', async () => {
    const unknown = { description: { cause: 'Unknown resources', detail: [{ original_resource_id: 'a-vda' }] } };
    const endedAt = '2026-03-01T00:10:00+00:00';
    const gnocchi = await start(URL_WITHOUT_FILTER, ({ what }, times, response) => {
      if (what === BATCH && times === 0) json(response, 400, unknown);
      if (what === 'GET /v1/resource/instance/a') json(response, 200, { id: 'a', ended_at: endedAt });
    });
    const disk = (instance: string) =>
      sampleOf(`${instance}-vda`, {
        name: 'disk.device.usage',
        metadata: { disk_name: 'vda', instance_id: instance },
      });

    await gnocchi.publish(disk('a'));
    const asked = gnocchi.asked.slice(4);

    expect(asked.map(({ what }) => what)).toEqual([
      BATCH,
      'POST /v1/resource/instance_disk',
      'GET /v1/resource/instance/a',
      'PATCH /v1/resource/instance_disk/a-vda',
      'PATCH /v1/resource/instance_disk/a-vda',
      BATCH,
    ]);
    expect(asked.slice(3, 5).map(({ body }) => JSON.parse(body))).toEqual([
      { started_at: endedAt },
      { ended_at: endedAt },
    ]);
  });

  it.each([
    ['gnocchi://', /filter_project needs Keystone: set enable_filter_project=false/],
    ['gnocchi://?enable_filter_project=perhaps', /option enable_filter_project: expected true or false/],
    [`${URL_WITHOUT_FILTER}&colour=red`, /unknown option colour/],
    [`${URL_WITHOUT_FILTER}&timeout=soon`, /option timeout: expected a number of seconds, got soon/],
    [`${URL_WITHOUT_FILTER}&resources_definition_file=x.yaml`, /x.yaml does not exist/],
    ['gnocchi://host:8041?enable_filter_project=false', /expected nothing between gnocchi:\/\/ and \?/],
  ])('refuses %s and says why', async (url, reason) => {
    await expect(start(url)).rejects.toThrow(reason);
  });
});
