import { describe, expect, it } from 'vitest';
import { readDevices } from '../../../src/pollsters/compute/devices.ts';
import { parseXml } from '../../../src/pollsters/compute/xml.ts';
import { domainOf } from './domains.ts';

function read(devices: string) {
  return readDevices(parseXml(domainOf({ devices }).xml));
}

const nic = (content: string, type = 'bridge') => `<interface type='${type}'>${content}</interface>`;
const MAC = "<mac address='m1'/>";
const TAP = "<target dev='t1'/>";

describe('devices', () => {
  it('are the disks that have a source', () => {
    const { disks } = read(
      "<disk type='file' device='cdrom'><target dev='hdc'/></disk>" +
        "<disk type='file'><source file='/a'/><target dev='vda'/><backingStore><source file='/b'/></backingStore></disk>" +
        "<disk type='network'><source protocol='rbd'/><target dev='vdb'/></disk>" +
        "<disk type='file'><source file='/c'/><target/></disk>",
    );

    expect(disks).toEqual(['vda', 'vdb']);
  });

  it('are the NICs that have a MAC address and a device on the host', () => {
    const { nics } = read(nic(MAC) + nic(TAP) + nic(`${MAC}<target/>`) + nic(MAC + TAP));

    expect(nics).toEqual([
      {
        tap: 't1',
        mac: 'm1',
        key: 'm1',
        fref: null,
        parameters: { interfaceid: null, bridge: null },
        freshPerBoot: true,
      },
    ]);
  });

  it('tell bridge, port and filter of a NIC', () => {
    const { nics } = read(
      nic(
        `${MAC}${TAP}<source bridge='br0'/><virtualport type='openvswitch'><parameters interfaceid='port-1'/></virtualport>` +
          "<filterref filter='f1'><parameter name='IP' value='10.0.0.1'/><parameter name='BRIDGE' value='x'/></filterref>",
      ),
    );

    expect(nics[0]?.fref).toBe('f1');
    expect(JSON.stringify(nics[0]?.parameters)).toBe('{"ip":"10.0.0.1","bridge":"br0","interfaceid":"port-1"}');
  });

  it('tell NICs with one MAC address apart', () => {
    const { nics } = read(nic(MAC + TAP) + nic(`${MAC}<target dev='t2'/>`));

    expect(new Set(nics.map(({ key }) => key)).size).toBe(2);
  });

  it('that others make for the domain may outlive its boots', () => {
    const { nics } = read(
      ['bridge', 'network', 'direct', 'ethernet', 'vhostuser'].map((type) => nic(MAC + TAP, type)).join(''),
    );

    expect(nics.map(({ freshPerBoot }) => freshPerBoot)).toEqual([true, true, true, false, false]);
  });

  it.each([
    ["<memballoon model='virtio'/>", true],
    ["<memballoon model='virtio-non-transitional'><stats period='10'/></memballoon>", true],
    ["<memballoon model='none'/>", false],
    ['', false],
  ])('have a balloon or not: %s', (xml, expected) => {
    expect(read(xml).balloon).toBe(expected);
  });
});
