/** Publishers to push gateways, OpenTelemetry and Zaqar, compared with what upstream's sent for the same samples. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { createHost } from '../../src/agent/host.ts';
import { loadConfig } from '../../src/config/load.ts';
import type { Event, NotificationSample } from '../../src/notification.ts';
import { parsePublisherUrl } from '../../src/pipeline/publisher-url.ts';
import type { Publisher } from '../../src/plugin.ts';
import plugin from '../../src/publishers/index.ts';
import type { SampleType } from '../../src/sample.ts';
import { parseExactJson } from '../../src/wire/json-parser.ts';
import { isObject, type JsonObject } from '../../src/wire/value.ts';
import { object, objects, string } from '../helpers/golden-wire.ts';
import { recordingLog } from '../helpers/recording-log.ts';
import { startReceiver } from './receiver.ts';

interface Request {
  readonly head: string;
  readonly body: string;
}

const upstream: Readonly<Record<string, readonly Request[]>> = JSON.parse(
  readFileSync(new URL('../fixtures/publishers/upstream-http.json', import.meta.url), 'utf8'),
);

const never = new AbortController().signal;

function messagesOf(index: number): readonly JsonObject[] {
  const body = parseExactJson(upstream['zaqar']?.[index]?.body ?? '');
  return isObject(body) ? objects(body, 'messages').map((message) => object(message, 'body')) : [];
}

function sampleOf(dict: JsonObject): NotificationSample {
  const { id = null, unit = null, volume = null, timestamp = null, source = null } = dict;
  return {
    id,
    unit,
    volume,
    timestamp,
    source,
    name: string(dict, 'name'),
    type: string(dict, 'type') as SampleType,
    userId: dict['user_id'] ?? null,
    userName: dict['user_name'] ?? null,
    projectId: dict['project_id'] ?? null,
    projectName: dict['project_name'] ?? null,
    resourceId: dict['resource_id'] ?? null,
    metadata: dict['resource_metadata'] ?? null,
  };
}

const samples = messagesOf(0).map(sampleOf);

const event: Event = {
  messageId: '0034628b-abba-5f28-b0c9-696b0d5b6ca7',
  eventType: 'volume.transfer.accept.end',
  generated: '2026-03-01T00:00:00.500000',
  traits: [
    { name: 'service', type: 'text', value: 'volume.blk01' },
    { name: 'request_id', type: 'text', value: 'req-é' },
    { name: 'project_id', type: 'text', value: 't' },
    { name: 'user_id', type: 'text', value: 'u' },
    { name: 'tenant_id', type: 'text', value: 't' },
    { name: 'created_at', type: 'datetime', value: '2026-03-01T07:00:00.250000' },
    { name: 'resource_id', type: 'text', value: '912ac55b-64c7-547a-85e4-a81525c07a15' },
    { name: 'size', type: 'int', value: 10 },
  ],
  raw: {},
};

async function open(text: string, env: Readonly<Record<string, string>> = {}): Promise<Publisher> {
  const { config } = loadConfig({ files: [], dirs: [], env });
  const url = parsePublisherUrl(text);
  const factory = plugin.publishers?.[url.scheme];
  if (factory === undefined) throw new Error(`no publisher ${url.scheme}`);
  return factory(url, createHost(config, recordingLog()));
}

/** What a publisher of such a URL sends for these samples: the first line and the body of each request. */
async function sent(url: (port: number) => string, batch = samples): Promise<Request[]> {
  const { requests, port, close } = await startReceiver();
  const publisher = await open(url(port));
  await publisher.publishSamples?.(batch, never);
  await publisher.close();
  await close();
  return requests.map(({ head, body }) => ({ head: `${head.method} ${head.url} HTTP/1.1`, body }));
}

/** The sample of upstream's six that is first, with something else about it. */
function changed(change: Partial<NotificationSample>): NotificationSample {
  const [first] = samples;
  if (first === undefined) throw new Error('there are no samples');
  return { ...first, ...change };
}

it('upstream got six samples of all kinds', () => {
  expect(samples.map(({ type }) => type)).toEqual(['cumulative', 'gauge', 'delta', 'gauge', 'cumulative', 'gauge']);
});

describe('prometheus', () => {
  /** What a gateway takes is as upstream has it. What it refuses, and all of the request with it, is mended. */
  function mended({ head, body }: Request): Request {
    return {
      head,
      body: body
        .replace(/^(cpu\{.*\}) 123456789012\n((?:.*\n)*?)\1 True\n/m, '$1 1\n$2')
        .replaceAll('üñïcödé', '_'.repeat(7))
        .replaceAll('ünï_cödé', '_n__c_d_')
        .replace('"a/b "q"\n\\x é"', '"a/b \\"q\\"\\n\\\\x é"'),
    };
  }

  it('pushes what belongs to a resource by itself, as upstream', async () => {
    const requests = await sent((port) => `prometheus://127.0.0.1:${port}/metrics/job/ceilometer`);

    expect(requests).toEqual(upstream['prometheus']?.map(mended));
  });

  it('pushes all at once where the path has labels of its own', async () => {
    const requests = await sent((port) => `prometheus://127.0.0.1:${port}/metrics/job/ceilometer/instance/h1`);

    expect(requests).toEqual(upstream['prometheus-grouping']?.map(mended));
  });

  it('keeps the last of two values of a series, which a gateway would refuse together', async () => {
    const [request] = await sent(
      (port) => `prometheus://127.0.0.1:${port}/metrics/job/x`,
      [changed({ volume: 1 }), changed({ volume: 2 })],
    );

    expect(request?.body.match(/ \d+$/gm)).toEqual([' 2']);
  });

  it('leaves out what is no number', async () => {
    const requests = await sent(
      (port) => `prometheus://127.0.0.1:${port}/metrics/job/x`,
      [changed({ volume: 'many' }), changed({ volume: null }), changed({ volume: '2.5', resourceId: 'r2' })],
    );

    expect(requests.map(({ head }) => head)).toEqual(['POST /metrics/job/x/resource_id/r2 HTTP/1.1']);
    expect(requests[0]?.body).toMatch(/ 2\.5\n$/);
  });

  it('pushes the other resources when one is refused, and rejects for good', async () => {
    const { requests, port, close } = await startReceiver([400]);
    const publisher = await open(`prometheus://127.0.0.1:${port}/metrics/job/x`);

    const publishing = publisher.publishSamples?.(samples, never);

    await expect(publishing).rejects.toMatchObject({ code: 'ERR_DELIVERY', retryable: false });
    expect(requests).toHaveLength(upstream['prometheus']?.length ?? 0);
    await publisher.close();
    await close();
  });

  it('takes no events', async () => {
    expect((await open('prometheus://host/metrics/job/x')).publishEvents).toBeUndefined();
  });
});

describe('opentelemetryhttp', () => {
  it('sends what upstream does', async () => {
    const requests = await sent((port) => `opentelemetryhttp://127.0.0.1:${port}/v1/metrics`);

    expect(requests).toEqual(upstream['opentelemetryhttp']);
  });

  it('leaves out a sample whose time cannot be read', async () => {
    const requests = await sent(
      (port) => `opentelemetryhttp://127.0.0.1:${port}/`,
      [changed({ timestamp: 'soon' }), changed({})],
    );

    expect(requests).toHaveLength(1);
  });

  it('sends OTLP in one request where that is asked for', async () => {
    const [request, ...others] = await sent((port) => `opentelemetryhttp://127.0.0.1:${port}/v1/metrics?format=otlp`);

    const body = parseExactJson(request?.body ?? '');
    const [ofResource] = isObject(body) ? objects(body, 'resourceMetrics') : [];
    const [ofScope] = ofResource === undefined ? [] : objects(ofResource, 'scopeMetrics');
    const metrics = ofScope === undefined ? [] : objects(ofScope, 'metrics');
    expect(others).toEqual([]);
    expect(request?.head).toBe('POST /v1/metrics HTTP/1.1');
    expect(metrics).toHaveLength(6);
    expect(metrics[0]).toEqual({
      name: 'cpu',
      unit: 'ns',
      sum: {
        dataPoints: [
          {
            attributes: [
              { key: 'resource_id', value: { stringValue: 'bc0c22a7-b703-58fc-8f28-e49f12954e95' } },
              { key: 'user_id', value: { stringValue: '8e4b261a558b5ea4a123419e6d9b7697' } },
              { key: 'project_id', value: { stringValue: '6a1b78d0877f5d68b5d1c761302f441e' } },
            ],
            timeUnixNano: '1778149836314092000',
            asInt: '123456789012',
          },
        ],
        aggregationTemporality: 2,
        isMonotonic: true,
      },
    });
    expect(metrics[1]).toMatchObject({ name: 'memory.usage', gauge: { dataPoints: [{ asDouble: 512.25 }] } });
    expect(metrics[2]).toMatchObject({ sum: { aggregationTemporality: 1, isMonotonic: false } });
  });
});

describe('zaqar', () => {
  it('posts samples and events as upstream does', async () => {
    const { requests, port, close } = await startReceiver();
    const env = {
      OS_SERVICE_CREDENTIALS__AUTH_TYPE: 'none',
      OS_SERVICE_CREDENTIALS__ENDPOINT: `http://127.0.0.1:${port}`,
    };
    const meters = await open('zaqar://?queue=meters&ttl=1200', env);
    const events = await open('zaqar://?queue=events', env);

    await meters.publishSamples?.(samples, never);
    await events.publishEvents?.([event], never);
    await close();

    expect(requests.map(({ head, body }) => ({ head: `${head.method} ${head.url} HTTP/1.1`, body }))).toEqual(
      upstream['zaqar'],
    );
    expect(requests[0]?.head.headers).toMatchObject({
      'content-type': 'application/json',
      'x-auth-token': 'notused',
      'client-id': expect.stringMatching(/^[0-9a-f]{32}$/),
    });
  });

  it.each([
    [503, true],
    [400, false],
  ])('rejects on status %i, to be tried again: %s', async (status, retryable) => {
    const { port, close } = await startReceiver([status]);
    const publisher = await open('zaqar://?queue=q', {
      OS_SERVICE_CREDENTIALS__AUTH_TYPE: 'none',
      OS_SERVICE_CREDENTIALS__ENDPOINT: `http://127.0.0.1:${port}`,
    });

    const publishing = publisher.publishSamples?.(samples, never);

    await expect(publishing).rejects.toMatchObject({ code: 'ERR_DELIVERY', retryable });
    await close();
  });
});

it.each([
  ['prometheus:///metrics', /expected HOST/],
  ['prometheus://host/metrics/job/x?ssl=maybe', /option ssl/],
  ['opentelemetryhttp://host/?format=protobuf', /option format: expected ceilometer, otlp/],
  ['zaqar://', /option queue/],
  ['zaqar://?queue=q&ttl=0', /option ttl/],
  ['zaqar://?queue=q&colour=red', /unknown option colour/],
])('%s is refused with the reason', async (url, reason) => {
  const env = { OS_SERVICE_CREDENTIALS__AUTH_TYPE: 'none', OS_SERVICE_CREDENTIALS__ENDPOINT: 'http://127.0.0.1:1' };
  await expect(open(url, env)).rejects.toThrow(reason);
});
