import { describe, expect, it } from 'vitest';
import { collectPages } from '../helpers/collect-pages.ts';
import { inTurn, json } from '../helpers/fake-openstack.ts';
import { cloudWith, SERVERS, servers, sessionOf, signal } from './support.ts';

describe('a list', () => {
  it.each([
    ['collection_links', (query: string) => ({ servers_links: [{ rel: 'next', href: `http://inside:1/x${query}` }] })],
    ['links.next', (query: string) => ({ links: { next: `https://other/servers${query}`, self: 'x' } })],
    ['next', (query: string) => ({ next: `/v2/servers${query}` })],
  ])('is read page by page by the query of %s', async (_form, linkTo) => {
    const cloud = await cloudWith({
      [SERVERS]: inTurn(
        json({ servers: [{ id: 'a' }, { id: 'b' }], ...linkTo('?limit=2&marker=b') }),
        json({ servers: [{ id: 'c' }], ...linkTo('?limit=2&marker=c') }),
        json({ servers: [] }),
      ),
    });
    const compute = sessionOf(cloud).service('compute');

    const pages = await collectPages(compute.pages('/servers', 'servers', { signal: signal(), query: { limit: 2 } }));

    expect(pages).toEqual([[{ id: 'a' }, { id: 'b' }], [{ id: 'c' }], []]);
    expect(cloud.asked.map(({ path }) => path.replace(SERVERS, ''))).toEqual([
      '?limit=2',
      '?limit=2&marker=b',
      '?limit=2&marker=c',
    ]);
  });

  it('asks for no page that nobody wants', async () => {
    const cloud = await cloudWith({ [SERVERS]: json({ ...servers, next: '?marker=a' }) });

    for await (const page of sessionOf(cloud).service('compute').pages('/servers', 'servers', { signal: signal() })) {
      expect(page).toHaveLength(1);
      break;
    }

    expect(cloud.asked).toHaveLength(1);
  });

  it('whose pages go round in a circle is given up', async () => {
    const cloud = await cloudWith({ [SERVERS]: json({ ...servers, next: '?marker=a' }) });
    const pages = sessionOf(cloud).service('compute').pages('/servers', 'servers', { signal: signal() });

    await expect(collectPages(pages)).rejects.toThrow('its pages go round in a circle');
  });

  it('that is none is refused', async () => {
    const cloud = await cloudWith({ [SERVERS]: json({ server: {} }) });
    const pages = sessionOf(cloud).service('compute').pages('/servers', 'servers', { signal: signal() });

    await expect(collectPages(pages)).rejects.toThrow('/servers: the answer has no list servers');
  });
});
