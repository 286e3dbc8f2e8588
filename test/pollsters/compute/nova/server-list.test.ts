import { describe, expect, it } from 'vitest';
import { createNovaApi } from '../../../../src/pollsters/compute/nova/api.ts';
import { createServerList } from '../../../../src/pollsters/compute/nova/server-list.ts';
import { FakeClock } from '../../../helpers/fake-clock.ts';
import type { FakeCloud } from '../../../helpers/fake-openstack.ts';
import { inTurn, json } from '../../../helpers/fake-openstack.ts';
import { soon } from '../../../helpers/patience.ts';
import { fakeHypervisor } from '../support.ts';
import { flavorRoute, hostIn, imageRoute, novaWith, SERVERS, serverOf } from './support.ts';

const START = Date.UTC(2026, 10, 22, 12, 0, 0);
const fine = { ...flavorRoute, ...imageRoute };

function listOf(cloud: FakeCloud, options: { resourceUpdateInterval?: number; resourceCacheExpiry?: number } = {}) {
  const host = hostIn(cloud, fakeHypervisor(), { compute: { instanceDiscoveryMethod: 'naive', ...options } });
  const clock = new FakeClock(START);
  const list = createServerList(host, createNovaApi(host.openstack(), 'compute'), clock);
  return { host, clock, list, refresh: () => list.refresh(soon()) };
}

const lists = (cloud: FakeCloud) =>
  cloud.asked.filter(({ path }) => path.startsWith(SERVERS)).map(({ path }) => new URLSearchParams(path.split('?')[1]));

describe('the list of servers', () => {
  it('is asked for once, and then for what changed since shortly before', async () => {
    const cloud = await novaWith({
      ...fine,
      [SERVERS]: inTurn(json({ servers: [serverOf('a')] }), json({ servers: [] })),
    });
    const { clock, list, refresh } = listOf(cloud);

    await refresh();
    await clock.pass(300_000);
    await refresh();

    expect(lists(cloud).map((query) => Object.fromEntries(query))).toEqual([
      { all_tenants: 'True', host: 'compute-1.oracle.example' },
      {
        all_tenants: 'True',
        host: 'compute-1.oracle.example',
        'changes-since': new Date(START - 60_000).toISOString(),
      },
    ]);
    expect(list.get('a')?.metadata['display_name']).toBe('server a');
  });

  it('takes over changes, and lets deleted servers and those in error go', async () => {
    const cloud = await novaWith({
      ...fine,
      [SERVERS]: inTurn(
        json({ servers: ['a', 'b', 'c', 'd'].map((id) => serverOf(id)) }),
        json({
          servers: [
            serverOf('a', { name: 'renamed' }),
            serverOf('b', { 'OS-EXT-STS:vm_state': 'deleted' }),
            serverOf('c', { 'OS-EXT-STS:vm_state': 'error' }),
            serverOf('e'),
          ],
        }),
      ),
    });
    const { list, refresh } = listOf(cloud);

    await refresh();
    await refresh();

    const names = ['a', 'b', 'c', 'd', 'e'].map((id) => list.get(id)?.nova.name);
    expect(names).toEqual(['renamed', undefined, undefined, 'server d', 'server e']);
  });

  it('lets a deleted server go of which the flavor was never known', async () => {
    const deleted = serverOf('a', { 'OS-EXT-STS:vm_state': 'deleted' });
    const cloud = await novaWith({
      ...imageRoute,
      '/compute/v2.1/flavors/flavor-1': inTurn(json({}, 500), flavorRoute['/compute/v2.1/flavors/flavor-1']),
      [SERVERS]: inTurn(json({ servers: [serverOf('a'), serverOf('b')] }), json({ servers: [deleted] })),
    });
    const { host, list, refresh } = listOf(cloud);

    await refresh();
    await refresh();
    while (host.lines.length < 2) await new Promise((resolve) => setTimeout(resolve, 5));

    expect([list.get('a'), list.get('b')?.nova.name]).toEqual([undefined, 'server b']);
  });

  it('has the same object for a server that has not changed', async () => {
    const cloud = await novaWith({ ...fine, [SERVERS]: json({ servers: [serverOf('a')] }) });
    const { list, refresh } = listOf(cloud);

    await refresh();
    const before = list.get('a');
    await refresh();

    expect(before).toBeDefined();
    expect(list.get('a')).toBe(before);
  });

  it('lets servers that moved to another host go when it expires', async () => {
    const cloud = await novaWith({
      ...fine,
      [SERVERS]: inTurn(json({ servers: [serverOf('a')] }), json({ servers: [] })),
    });
    const { clock, list, refresh } = listOf(cloud, { resourceCacheExpiry: 600 });
    const seen: boolean[] = [];

    for (const pause of [0, 300_000, 300_000]) {
      await clock.pass(pause);
      await refresh();
      seen.push(list.get('a') !== undefined);
    }

    expect(seen).toEqual([true, true, false]);
    expect(lists(cloud).map((query) => query.has('changes-since'))).toEqual([false, true, false]);
  });

  it('keeps what it knows when it expires while Nova is away', async () => {
    const cloud = await novaWith({ ...fine, [SERVERS]: inTurn(json({ servers: [serverOf('a')] }), json({}, 500)) });
    const { clock, list, refresh } = listOf(cloud, { resourceCacheExpiry: 600 });

    const complete = await refresh();
    await clock.pass(600_000);
    const later = await refresh();

    expect([complete, later]).toEqual([true, false]);
    expect(list.get('a')).toBeDefined();
  });

  it('is asked for no more often than resource_update_interval says', async () => {
    const cloud = await novaWith({ ...fine, [SERVERS]: json({ servers: [] }) });
    const { clock, refresh } = listOf(cloud, { resourceUpdateInterval: 100 });

    for (const pause of [0, 60_000, 39_000, 1000]) {
      await clock.pass(pause);
      await refresh();
    }

    expect(lists(cloud)).toHaveLength(2);
  });

  it('remembers flavors and images for a while, and for a shorter one that there are none', async () => {
    const cloud = await novaWith({ ...flavorRoute, [SERVERS]: json({ servers: [] }) });
    const { clock, refresh } = listOf(cloud);
    const asked: string[][] = [];

    let turn = 0;
    for (const pause of [0, 59_000, 2000, 600_000]) {
      await clock.pass(pause);
      cloud.routes.set(SERVERS, json({ servers: [serverOf('a', { progress: turn++ })] }));
      cloud.asked.length = 0;
      await refresh();
      asked.push(
        cloud.asked
          .slice(1)
          .map(({ path }) => path.split('/').at(-1) ?? '')
          .sort(),
      );
    }

    expect(asked).toEqual([['flavor-1', 'image-1'], [], ['image-1'], ['flavor-1', 'image-1']]);
  });

  it('does not hold up a cycle for long when Nova does not answer at all', async () => {
    const cloud = await novaWith({ ...fine, [SERVERS]: () => new Promise(() => {}) });
    const { clock, host, refresh } = listOf(cloud);
    const complete = refresh();

    while (cloud.asked.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    await clock.pass(10_000);

    expect(await complete).toBe(false);
    expect(host.lines).toMatchObject([{ level: 'warn', fields: { reason: 'no answer within 10 s' } }]);
  });
});
