import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createHost } from '../../src/agent/host.ts';
import { loadConfig } from '../../src/config/load.ts';
import { type GnocchiApi, openGnocchi, parsedOf } from '../../src/gnocchi/api.ts';
import { resourceTypes } from '../../src/gnocchi/resource-types.ts';
import { upgradeResourceTypes } from '../../src/gnocchi/upgrade.ts';
import type { Event, NotificationSample } from '../../src/notification.ts';
import { parsePublisherUrl } from '../../src/pipeline/publisher-url.ts';
import type { Publisher } from '../../src/plugin.ts';
import { gnocchiPublisher } from '../../src/publishers/gnocchi.ts';
import type { JsonValue } from '../../src/wire/value.ts';
import { addGnocchi } from '../helpers/openstack/gnocchi.ts';
import { openSite, type Site } from '../helpers/openstack/site.ts';
import { soon as signal } from '../helpers/patience.ts';
import { recordingLog } from '../helpers/recording-log.ts';
import { describeWith } from '../helpers/services.ts';

const id = (number: number) => `9f19fd4f-da6f-4009-99d4-${String(number).padStart(12, '0')}`;

function sampleOf(name: string, resourceId: string, fields: Partial<NotificationSample> = {}): NotificationSample {
  return {
    id: 'id-1',
    name,
    type: 'gauge',
    unit: 'u',
    volume: 1,
    userId: 'u1',
    userName: null,
    projectId: 'p1',
    projectName: null,
    resourceId,
    timestamp: '2026-03-01T00:00:00+00:00',
    metadata: {},
    source: 'openstack',
    ...fields,
  };
}

const flavor = { id: 'f1', name: 'm1.small' };
const instance = (name: string) => ({ display_name: name, instance_host: 'cmp01', flavor, image_ref: 'i1' });

function eventOf(eventType: string, traits: Readonly<Record<string, string>>): Event {
  return {
    messageId: 'm',
    eventType,
    generated: '2026-03-01T00:00:00',
    traits: Object.entries(traits).map(([name, value]) => ({ name, type: 'text', value })),
    raw: {},
  };
}

describeWith('gnocchi', 'the publisher gnocchi with a real Gnocchi', () => {
  let site: Site;
  let endpoint: string;
  let api: GnocchiApi;
  let publisher: Publisher;
  const log = recordingLog();
  let toldBefore = 0;
  const told = () => log.told.slice(toldBefore);

  beforeAll(async () => {
    site = await openSite();
    endpoint = await addGnocchi(site);
    const overrides = { serviceCredentials: { authType: 'gnocchi-basic', user: 'admin', endpoint } };
    const host = createHost(loadConfig({ files: [], dirs: [], env: {}, overrides }).config, log);
    api = openGnocchi(host, { timeout: 60_000 });
    publisher = gnocchiPublisher(parsePublisherUrl('gnocchi://?enable_filter_project=false&timeout=30'), host);
    await upgradeResourceTypes(api, log, signal());
  }, 300_000);

  afterAll(async () => {
    await publisher?.close();
    await api?.close();
    await site?.close();
  });

  beforeEach(() => {
    toldBefore = log.told.length;
  });

  async function get(path: string): Promise<{ status: number; value: JsonValue | undefined }> {
    const { status, text } = await api.request('GET', path, { signal: signal() });
    return { status, value: parsedOf(text) };
  }

  const measuresOf = async (type: string, resource: string, meter: string, aggregation = 'mean') => {
    const query = `refresh=true&granularity=300&aggregation=${aggregation}`;
    return (await get(`/v1/resource/${type}/${resource}/metric/${meter}/measures?${query}`)).value;
  };
  const publish = (...samples: readonly NotificationSample[]) => publisher.publishSamples?.(samples, signal());

  it('has every type that the definitions name, and changes nothing when it runs again', async () => {
    const again = await upgradeResourceTypes(api, log, signal());

    const { value } = await get('/v1/resource_type/');
    const names = (value as { name: string }[]).map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(Object.keys(resourceTypes)));
    expect(again).toEqual({ created: [], extended: [] });
    expect(told().join()).not.toContain('mandatory');
  });

  it('adds attributes to a type that an older upgrade made, and says which ones stay mandatory', async () => {
    // Gnocchi answers a DELETE without a body, which it refuses to whom accepts JSON only.
    const headers = { authorization: `basic ${Buffer.from('admin:').toString('base64')}` };
    const gone = await fetch(`${endpoint}/v1/resource_type/manila_share`, { method: 'DELETE', headers });
    const host = { type: 'string', min_length: 0, max_length: 255, required: true };
    const body = JSON.stringify({ name: 'manila_share', attributes: { name: host, host } });
    const made = await api.request('POST', '/v1/resource_type/', { body, signal: signal() });

    const { extended } = await upgradeResourceTypes(api, log, signal());

    expect([gone.status, made]).toEqual([204, expect.objectContaining({ status: 201 })]);
    expect(extended).toEqual(['manila_share (protocol, availability_zone, status)']);
    expect(told().join()).toMatch(/mandatory/);
    const { value } = await get('/v1/resource_type/manila_share');
    expect(Object.keys((value as { attributes: object }).attributes)).toHaveLength(5);
  });

  it('creates resources with their attributes and keeps measures under the policy of the meter', async () => {
    const metadata = instance('web-0');
    const cpu = (minute: number, volume: bigint) =>
      sampleOf('cpu', id(1), { volume, unit: 'ns', metadata, timestamp: `2026-03-01T00:${minute}:00+00:00` });

    await publish(
      cpu(10, 100n),
      cpu(20, 9_007_199_254_740_993n),
      sampleOf('memory.usage', id(1), { volume: 512.5, metadata, timestamp: '2026-03-01T00:10:00' }),
      sampleOf('disk.device.read.bytes', `${id(1)}-vda`, { metadata: { disk_name: 'vda', instance_id: id(1) } }),
      sampleOf('ip.floating', 'ip/with/slashes', { volume: '7', projectId: null }),
    );

    expect(await get(`/v1/resource/instance/${id(1)}`)).toMatchObject({
      value: {
        original_resource_id: id(1),
        user_id: 'u1',
        project_id: 'p1',
        display_name: 'web-0',
        host: 'cmp01',
        flavor_id: 'f1',
        flavor_name: 'm1.small',
        image_ref: 'i1',
        ended_at: null,
      },
    });
    expect(JSON.stringify(await measuresOf('instance', id(1), 'cpu'), plain)).toBe(
      '[["2026-03-01T00:10:00+00:00",300,100],["2026-03-01T00:20:00+00:00",300,9007199254740992]]',
    );
    expect(JSON.stringify(await measuresOf('instance', id(1), 'cpu', 'rate:mean'), plain)).toContain('900719925474089');
    expect(JSON.stringify(await measuresOf('instance', id(1), 'memory.usage'), plain)).toContain('512.5');
    expect(JSON.stringify(await measuresOf('network', 'ip_with_slashes', 'ip.floating'), plain)).toContain(',7]');
    expect(await get(`/v1/resource/instance/${id(1)}/metric/cpu`)).toMatchObject({
      value: { unit: 'ns', archive_policy: { name: 'ceilometer-low-rate' } },
    });
    expect(told()).toEqual([]);
  });

  it('changes the attributes of a resource once, when a sample says them anew', async () => {
    const cpu = (name: string) => sampleOf('cpu', id(2), { metadata: instance(name) });

    for (const name of ['web', 'web', 'renamed', 'renamed']) await publish(cpu(name));

    const { value } = await get(`/v1/resource/instance/${id(2)}/history`);
    expect((value as { display_name: string }[]).map(({ display_name }) => display_name)).toEqual(['web', 'renamed']);
  });

  it('leaves out what is wrong and keeps the rest', async () => {
    const metadata = instance('web-3');

    await publish(
      sampleOf('cpu', id(3), { metadata, volume: 3 }),
      sampleOf('memory', id(3), { metadata, timestamp: 'yesterday' }),
      sampleOf('vcpus', id(3), { metadata, volume: 10n ** 400n }),
      sampleOf('power.state', id(3), { metadata, volume: Number.NaN }),
      sampleOf('image.size', id(4), { metadata: { container_format: 'bare' } }),
      sampleOf('cpu', null as never, { metadata }),
      sampleOf('of.nobody', id(3), { metadata }),
    );

    expect(JSON.stringify(await measuresOf('instance', id(3), 'cpu'), plain)).toContain(',3]');
    expect((await get(`/v1/resource/image/${id(4)}`)).status).toBe(404);
    expect(told().join()).toMatch(/cannot go to Gnocchi/);
    expect(told().join()).toMatch(/refuses measures/);
  });

  it('creates, changes and ends resources as events say, with what belongs to them', async () => {
    const create = { instance_id: id(5), display_name: 'web-5', host: 'cmp01', instance_flavor_id: 'f1' };
    await publisher.publishEvents?.(
      [
        eventOf('compute.instance.create.end', {
          ...create,
          instance_type: 'm1.small',
          user_id: 'u1',
          project_id: 'p1',
        }),
      ],
      signal(),
    );
    await publish(
      sampleOf('disk.device.usage', `${id(5)}-vda`, { metadata: { disk_name: 'vda', instance_id: id(5) } }),
    );
    await publish(sampleOf('volume.size', id(6), { metadata: { display_name: 'v' } }));

    const events = [
      eventOf('compute.instance.create.end', { ...create, instance_type: 'm1.small' }),
      eventOf('volume.transfer.accept.end', { resource_id: id(6), project_id: 'p2' }),
      eventOf('compute.instance.delete.start', { instance_id: id(5) }),
      eventOf('compute.instance.delete.start', { instance_id: id(7) }),
      eventOf('image.update', { resource_id: id(7) }),
    ];
    await publisher.publishEvents?.(events, signal());

    const ended = expect.stringMatching(/^20\d\d-/);
    expect((await get(`/v1/resource/instance/${id(5)}`)).value).toMatchObject({
      display_name: 'web-5',
      ended_at: ended,
    });
    expect((await get(`/v1/resource/instance_disk/${id(5)}-vda`)).value).toMatchObject({ ended_at: ended });
    expect((await get(`/v1/resource/volume/${id(6)}`)).value).toMatchObject({ project_id: 'p2', ended_at: null });
    expect((await get(`/v1/resource/instance/${id(7)}`)).status).toBe(404);
    expect(told()).toEqual([]);
  });

  it('has an end for what was deleted before its first samples came, and for its disks', async () => {
    const traits = { instance_id: id(9), display_name: 'gone', instance_flavor_id: 'f1', instance_type: 'm1.small' };

    await publisher.publishEvents?.([eventOf('compute.instance.delete.start', traits)], signal());
    await publish(
      sampleOf('cpu', id(9), { metadata: instance('gone'), volume: 7 }),
      sampleOf('disk.device.usage', `${id(9)}-vda`, { metadata: { disk_name: 'vda', instance_id: id(9) } }),
      sampleOf('network.incoming.bytes', `${id(9)}-tap`, { metadata: { vnic_name: 'tap', instance_id: id(9) } }),
    );
    await publisher.publishEvents?.([eventOf('compute.instance.create.end', traits)], signal());

    const [owner, disk, port] = await Promise.all([
      get(`/v1/resource/instance/${id(9)}`),
      get(`/v1/resource/instance_disk/${id(9)}-vda`),
      get(`/v1/resource/instance_network_interface/${id(9)}-tap`),
    ]);
    const ended = expect.stringMatching(/^20\d\d-/);
    expect(owner.value).toMatchObject({ display_name: 'gone', image_ref: 'i1', ended_at: ended });
    const at = (owner.value as { ended_at: string }).ended_at;
    expect(disk.value).toMatchObject({ ended_at: at });
    expect(port.value).toMatchObject({ ended_at: at });
    expect(JSON.stringify(await measuresOf('instance', id(9), 'cpu'), plain)).toContain(',7]');
    expect(told()).toEqual([]);
  });

  it('takes the same batch again without counting it twice', async () => {
    const samples = [1, 2, 3].map((second) =>
      sampleOf('memory', id(8), {
        volume: second,
        metadata: instance('web-8'),
        timestamp: `2026-03-01T00:00:0${second}+00:00`,
      }),
    );

    for (let round = 0; round < 3; round += 1) await publish(...samples);

    expect(JSON.stringify(await measuresOf('instance', id(8), 'memory'), plain)).toContain(',2]');
  });

  describe('under load', () => {
    it('takes many resources in one batch and many batches at once', async () => {
      const many = (from: number) =>
        Array.from({ length: 50 }, (_, index) =>
          sampleOf('cpu', id(from + index), { metadata: instance(`m-${from + index}`) }),
        );

      await Promise.all([100, 120, 140, 160].map((from) => publish(...many(from))));

      const { value } = await get('/v1/resource/instance?limit=1000');
      const names = (value as { display_name: string }[]).map(({ display_name }) => display_name);
      expect(names.filter((name) => name.startsWith('m-')).length).toBe(110);
      expect(told()).toEqual([]);
    });
  });
});

/** Numbers as they are: integers and floats are one in what is compared. */
function plain(_key: string, value: unknown): unknown {
  return typeof value === 'object' && value !== null && 'value' in value && !Array.isArray(value) ? value.value : value;
}
