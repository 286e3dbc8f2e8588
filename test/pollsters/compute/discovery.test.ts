import { describe, expect, it } from 'vitest';
import compute from '../../../src/pollsters/compute/index.ts';
import type { Instance } from '../../../src/pollsters/compute/instance.ts';
import { createComputePlugin } from '../../../src/pollsters/compute/plugin.ts';
import { domainOf, novaXml } from './domains.ts';
import { cycle, type FakeHost, fakeHypervisor, hostOf, novaKnowing } from './support.ts';

async function discover(host: FakeHost, plugin = compute): Promise<readonly Instance[]> {
  const discovery = await plugin.discoveries?.['compute']?.['local_instances']?.(host);
  return (await discovery?.discover(undefined, cycle(host))) as readonly Instance[];
}

const flavorOf = (content: string, attributes = 'name="f"') => `<n:flavor ${attributes}>${content}</n:flavor>`;

describe('the discovery local_instances', () => {
  it('finds the domains that Nova made', async () => {
    const hypervisor = fakeHypervisor();
    hypervisor.domains = [domainOf({ uuid: 'a' }), domainOf({ uuid: 'b', metadata: '' }), domainOf({ uuid: 'c' })];
    const host = hostOf(hypervisor);

    const found = await discover(host);

    expect(found.map(({ id }) => id)).toEqual(['a', 'c']);
    expect(host.lines).toEqual([
      {
        level: 'debug',
        fields: { domain: 'instance-1', uuid: 'b' },
        message: 'domain without Nova metadata is left out',
      },
    ]);
  });

  it.each([
    ['flavor without a name', domainOf({ metadata: novaXml({ flavor: '<n:flavor id="1"/>' }) }), /flavor .*'name'/],
    ['empty memory', domainOf({ metadata: novaXml({ flavor: flavorOf('<n:memory/>') }) }), /flavor\/memory .*integer/],
    ['word for a number', domainOf({ metadata: novaXml({ flavor: flavorOf('<n:disk>big</n:disk>') }) }), /"big"/],
    ['no owner', domainOf({ metadata: novaXml({ owner: '' }) }), /owner\/user .*missing/],
    ['no os type', domainOf({ os: '' }), /os\/type/],
    ['no architecture', domainOf({ os: '<type>hvm</type>' }), /'arch'/],
    ['cut off XML', { ...domainOf(), xml: '<domain><name>' }, /./],
    ['empty XML', { ...domainOf(), xml: '' }, /./],
  ])('leaves out one broken domain and no other, with one warning: %s', async (_what, broken, reason) => {
    const hypervisor = fakeHypervisor();
    const { xml } = broken;
    hypervisor.domains = [{ uuid: 'broken', name: 'bad', id: 2, xml }, domainOf({ uuid: 'sound' })];
    const host = hostOf(hypervisor);

    const first = await discover(host);
    const second = await discover(host);

    expect([first, second].map((found) => found.map(({ id }) => id))).toEqual([['sound'], ['sound']]);
    expect(host.lines).toEqual([
      {
        level: 'warn',
        fields: { domain: 'bad', uuid: 'broken', reason: expect.stringMatching(reason) },
        message: 'domain with unusable XML is left out',
      },
    ]);
  });

  it('warns again when a broken domain has changed and still is broken', async () => {
    const hypervisor = fakeHypervisor();
    const host = hostOf(hypervisor);
    const broken = domainOf({ metadata: novaXml({ owner: '' }) });

    hypervisor.domains = [broken];
    await discover(host);
    hypervisor.domains = [{ ...broken }];
    await discover(host);

    expect(host.lines.map(({ level }) => level)).toEqual(['warn', 'warn']);
  });

  it('reads metadata of an unknown version and warns once', async () => {
    const hypervisor = fakeHypervisor();
    const metadata = novaXml({ version: '2.0' });
    hypervisor.domains = [domainOf({ uuid: 'a', metadata }), domainOf({ uuid: 'b', metadata })];
    const host = hostOf(hypervisor);

    const found = await discover(host);

    expect(found).toHaveLength(2);
    expect(host.lines.map(({ level, fields }) => [level, Reflect.get(fields, 'version')])).toEqual([['warn', '2.0']]);
  });

  it('derives an instance once per change of its domain', async () => {
    const hypervisor = fakeHypervisor();
    const domain = domainOf();
    const host = hostOf(hypervisor);
    hypervisor.domains = [domain];

    const [first] = await discover(host);
    const [second] = await discover(host);
    hypervisor.domains = [{ ...domain }];
    const [third] = await discover(host);

    expect(second).toBe(first);
    expect(third).not.toBe(first);
  });

  it('fails when the hypervisor does not answer, rather than find nothing', async () => {
    const host = hostOf(fakeHypervisor());
    host.inspector().domains = () => Promise.reject(new Error('no answer'));

    await expect(discover(host)).rejects.toThrow('no answer');
  });

  it('takes the flavor id that Nova wrote, else the one it is asked for, else the name', async () => {
    const hypervisor = fakeHypervisor();
    const flavors = ['name="a" id="1"', 'name="b"', 'name="c" id=""'].map((attributes) => flavorOf('', attributes));
    hypervisor.domains = flavors.map((flavor, n) => domainOf({ uuid: `${n}`, metadata: novaXml({ flavor }) }));
    const nova = novaKnowing({ b: '2' });
    const host = hostOf(hypervisor);

    const found = await discover(
      host,
      createComputePlugin(() => nova),
    );

    const ids = found.map((instance) => instance.resources(1).whole.metadata['flavor']);
    expect(ids).toMatchObject([{ id: '1' }, { id: '2' }, { id: 'c' }]);
  });

  it('carries the reserved part of what users noted at the server', async () => {
    const hypervisor = fakeHypervisor();
    hypervisor.domains = [domainOf()];
    const nova = novaKnowing({}, { 'metering.stack': 's1', other: 'x' });
    const host = hostOf(hypervisor, { default: { reservedMetadataKeys: ['other'] } });

    const [instance] = await discover(
      host,
      createComputePlugin(() => nova),
    );

    const base = instance?.resources(1).whole.metadata ?? {};
    expect(base['user_metadata']).toEqual({ stack: 's1', other: 'x' });
    expect(Object.keys(base).slice(-2)).toEqual(['root_gb', 'user_metadata']);
  });

  it('shares the method workload_partitioning among the agents of one host, and warns where these cannot meet', async () => {
    const instanceDiscoveryMethod = 'workload_partitioning';
    const host = hostOf(fakeHypervisor(), { compute: { instanceDiscoveryMethod } });

    const coordination = { backendUrl: 'file:///var/lib/ceilometer/members' };
    const meeting = hostOf(fakeHypervisor(), { compute: { instanceDiscoveryMethod }, coordination });

    const discovery = await compute.discoveries?.['compute']?.['local_instances']?.(host);
    const shared = await compute.discoveries?.['compute']?.['local_instances']?.(meeting);

    expect([discovery?.group, shared?.group]).toEqual([host.hostname, host.hostname]);
    expect(meeting.lines).toEqual([]);
    expect(host.lines.map(({ level, fields }) => [level, Reflect.get(fields, 'value')])).toEqual([
      ['warn', instanceDiscoveryMethod],
    ]);
  });
});

describe('the discovery local_node', () => {
  it('finds this host, which no other agent has', async () => {
    const host = hostOf(fakeHypervisor());

    const discovery = await compute.discoveries?.['compute']?.['local_node']?.(host);

    expect(discovery?.group).toBeNull();
    expect(await discovery?.discover(undefined, cycle(host))).toEqual([{ id: 'compute-1.oracle.example' }]);
  });
});
