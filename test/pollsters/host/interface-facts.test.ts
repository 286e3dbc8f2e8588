import { describe, expect, it } from 'vitest';
import { createInterfaceFacts } from '../../../src/pollsters/host/interface-facts.ts';

const address = { address: '192.0.2.7', netmask: '255.255.255.0', mac: '02:00:00:00:00:07', internal: false };
const files: Record<string, string> = {
  '/sys/class/net/eth0/address': '02:00:00:00:00:07\n',
  '/sys/class/net/eth0/speed': '25000\n',
  '/sys/class/net/eth1/address': '02:00:00:00:00:08\n',
  '/sys/class/net/eth1/speed': '-1\n',
};

function counting() {
  const asked: string[] = [];
  let seconds = 1000;
  const factsOf = createInterfaceFacts({
    readSys: async (path) => {
      asked.push(path);
      return files[path];
    },
    networkInterfaces: () => ({
      eth0: [
        { ...address, family: 'IPv6', address: '2001:db8::7', cidr: null, scopeid: 0 },
        { ...address, family: 'IPv4', cidr: '192.0.2.7/24' },
      ],
    }),
    now: () => seconds,
  });
  return { asked, factsOf, pass: (more: number) => (seconds += more) };
}

describe('the facts of network interfaces', () => {
  it('are address, speed in bytes a second and IP where the kernel tells them', async () => {
    const { factsOf } = counting();

    const facts = await factsOf(['eth0', 'eth1', 'gone0']);

    expect(Object.fromEntries(facts)).toEqual({
      eth0: { mac: '02:00:00:00:00:07', speed: 3_125_000_000, ip: '192.0.2.7' },
      eth1: { mac: '02:00:00:00:00:08' },
      gone0: {},
    });
  });

  it('are not asked again in the next cycles', async () => {
    const { asked, factsOf, pass } = counting();

    await factsOf(['eth0']);
    pass(59);
    await factsOf(['eth0']);

    expect(asked).toHaveLength(2);
  });

  it('are asked again after a minute, and when an interface appears', async () => {
    const { asked, factsOf, pass } = counting();

    await factsOf(['eth0']);
    await factsOf(['eth0', 'eth1']);
    pass(60);
    await factsOf(['eth0', 'eth1']);

    expect(asked).toHaveLength(2 + 4 + 4);
  });
});
