import { expect, it, onTestFinished } from 'vitest';
import { CallPool } from '../../src/libvirt/call-pool.ts';
import { allDomainStats, STATS_GROUPS } from '../../src/libvirt/procedures.ts';
import { REQUESTS_MAX } from '../../src/libvirt/request-slots.ts';
import { parseVirtUri } from '../../src/libvirt/uri.ts';
import { fakeDomain, startFakeLibvirtd } from '../../src/testing/fake-libvirtd.ts';
import { eventually } from '../helpers/eventually.ts';

const { signal } = new AbortController();
const patience = { patience: 20_000, late: 20_000, timeout: 20_000, signal };

it('lets go of a connection that was opened for want of room, when all is answered', async () => {
  const server = await startFakeLibvirtd({ domains: [fakeDomain(1)] });
  onTestFinished(() => server.close());
  const pool = new CallPool({ uri: parseVirtUri(server.uri), timeout: 5_000, signal });
  onTestFinished(() => pool.close());
  const query = { domains: [fakeDomain(1)], groups: STATS_GROUPS, flags: 0 };
  const ask = () => pool.call(allDomainStats, query, patience).answer;
  server.react(({ procedure }) => (procedure === allDomainStats.number ? { kind: 'silence' } : undefined));

  const first = Array.from({ length: REQUESTS_MAX + 1 }, ask);
  await eventually(() => server.count(allDomainStats)).toBe(REQUESTS_MAX + 1);
  const during = pool.connections;
  server.react(() => undefined);
  server.answerSilenced();
  const answers = await Promise.all(first);

  expect(during).toBe(2);
  expect(answers.map(({ records }) => records.length)).toEqual(answers.map(() => 1));
  await eventually(() => pool.connections).toBe(1);
  expect((await ask()).records).toHaveLength(1);
});
