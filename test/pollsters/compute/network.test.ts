import { describe, expect, it } from 'vitest';
import compute from '../../../src/pollsters/compute/index.ts';
import { domainOf, statsOf } from './domains.ts';
import { cycle, fakeHypervisor, hostOf, load } from './support.ts';

const METERS = ['network.incoming.bytes.delta', 'network.outgoing.bytes.delta'];

function nic(tap: string, { mac = 'm1', type = 'bridge' } = {}): string {
  return `<interface type='${type}'><mac address='${mac}'/><source bridge='b'/><target dev='${tap}'/></interface>`;
}

async function setUp(type = 'bridge') {
  const hypervisor = fakeHypervisor();
  const host = hostOf(hypervisor);
  const plugin = await load(compute, host);
  hypervisor.domains = [domainOf({ id: 1, devices: nic('tap1', { type }) })];
  /** One poll when the NICs have received and sent so many bytes; the deltas of each in turn. */
  async function poll(counters: Readonly<Record<string, readonly [bigint, bigint]>>, source = 'test') {
    const nics = Object.entries(counters).map(([name, [rxBytes, txBytes]]) => ({ name, rxBytes, txBytes }));
    hypervisor.stats.set('uuid-1', statsOf({ nics }));
    return (await plugin.poll(cycle(host, source), METERS)).map(({ volume }) => volume);
  }
  return { hypervisor, host, plugin, poll };
}

describe('the network deltas', () => {
  it('are 0 at first and then what came since the poll before, in each direction', async () => {
    const { poll } = await setUp();

    expect(await poll({ tap1: [1000n, 500n] })).toEqual([0n, 0n]);
    expect(await poll({ tap1: [1010n, 500n] })).toEqual([10n, 0n]);
    expect(await poll({ tap1: [1010n, 520n] })).toEqual([0n, 20n]);
  });

  it('are exact beyond what a double holds', async () => {
    const { poll } = await setUp();
    await poll({ tap1: [2n ** 60n, 0n] });

    expect(await poll({ tap1: [2n ** 60n + 1n, 0n] })).toEqual([1n, 0n]);
  });

  it('are all there is when a counter went back', async () => {
    const { poll } = await setUp();
    await poll({ tap1: [1000n, 500n] });

    expect(await poll({ tap1: [30n, 600n] })).toEqual([30n, 100n]);
  });

  it('are all there is after a boot, even when the counter has caught up', async () => {
    const { hypervisor, poll } = await setUp();
    await poll({ tap1: [1000n, 500n] });

    hypervisor.domains = [domainOf({ id: 2, devices: nic('tap1') })];

    expect(await poll({ tap1: [1500n, 600n] })).toEqual([1500n, 600n]);
    expect(await poll({ tap1: [1501n, 600n] })).toEqual([1n, 0n]);
  });

  it('go on over a boot where the device on the host does', async () => {
    const { hypervisor, poll } = await setUp('ethernet');
    await poll({ tap1: [1000n, 500n] });

    hypervisor.domains = [domainOf({ id: 2, devices: nic('tap1', { type: 'ethernet' }) })];

    expect(await poll({ tap1: [1500n, 600n] })).toEqual([500n, 100n]);
  });

  it('follow a NIC by its MAC address when its device was made anew', async () => {
    const { hypervisor, poll } = await setUp();
    await poll({ tap1: [1000n, 500n] });

    hypervisor.domains = [domainOf({ id: 1, devices: nic('tap9') })];

    expect(await poll({ tap9: [70n, 600n] })).toEqual([70n, 600n]);
  });

  it('are kept for each NIC of an instance, one MAC address notwithstanding', async () => {
    const { hypervisor, poll } = await setUp();
    hypervisor.domains = [domainOf({ devices: nic('tap1') + nic('tap2') })];
    await poll({ tap1: [1000n, 0n], tap2: [1n, 0n] });

    expect(await poll({ tap1: [1001n, 0n], tap2: [3n, 0n] })).toEqual([1n, 2n, 0n, 0n]);
  });

  it('are kept for each source', async () => {
    const { poll } = await setUp();
    await poll({ tap1: [1000n, 0n] }, 'slow');
    await poll({ tap1: [1100n, 0n] }, 'fast');

    expect(await poll({ tap1: [1110n, 0n] }, 'slow')).toEqual([110n, 0n]);
    expect(await poll({ tap1: [1110n, 0n] }, 'fast')).toEqual([10n, 0n]);
  });

  it('cover a cycle in which the NIC did not answer', async () => {
    const { poll } = await setUp();
    await poll({ tap1: [1000n, 0n] });

    expect(await poll({})).toEqual([]);
    expect(await poll({ tap1: [1300n, 0n] })).toEqual([300n, 0n]);
  });

  it('forget an instance that left the host', async () => {
    const { hypervisor, poll } = await setUp();
    const { domains } = hypervisor;
    await poll({ tap1: [1000n, 0n] });

    hypervisor.domains = [domainOf({ uuid: 'other' })];
    await poll({ tap1: [1100n, 0n] });
    hypervisor.domains = domains;

    expect(await poll({ tap1: [1200n, 0n] })).toEqual([0n, 0n]);
  });

  it('cover a cycle that was let go of before its values came', async () => {
    const { host, plugin, poll } = await setUp();
    await poll({ tap1: [1000n, 0n] });
    const inspector = host.inspector();
    const { stats } = inspector;
    const late = new AbortController();

    inspector.stats = (domains, signal) => {
      late.abort();
      return stats(domains, signal);
    };
    const polled = await plugin.poll({ ...cycle(host), signal: late.signal }, METERS);
    inspector.stats = stats;

    expect(polled).toEqual([]);
    expect(await poll({ tap1: [1300n, 0n] })).toEqual([300n, 0n]);
  });
});
