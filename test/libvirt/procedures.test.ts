import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { eventDomain, LIFECYCLE } from '../../src/libvirt/events.ts';
import * as procedures from '../../src/libvirt/procedures.ts';
import { XdrError, XdrReader, XdrWriter } from '../../src/libvirt/xdr.ts';
import { recorded } from './recorded.ts';

const event = { program: 0x20008086, version: 1, type: 2, serial: 0, status: 0 };

describe('recorded replies', () => {
  it('give the authentication types and the version', () => {
    expect(procedures.authList.read(new XdrReader(recorded.reply('authList')))).toEqual([0]);
    expect(procedures.libVersion.read(new XdrReader(recorded.reply('libVersion')))).toBe(9_000_000n);
  });

  it('give all domains, those that are shut off with id -1', () => {
    const domains = procedures.listAllDomains.read(new XdrReader(recorded.reply('listAllDomains')));

    expect(domains).toHaveLength(6);
    expect(domains.find(({ name }) => name === 'instance-00000003')?.id).toBe(-1);
    expect(domains.find(({ name }) => name === 'Größe & Söhne 🚀')).toMatchObject({ id: 5, uuid: expect.any(String) });
  });

  it('give the XML of a domain', () => {
    const xml = procedures.domainXml.read(new XdrReader(recorded.reply('domainXml')));

    expect(xml).toMatch(/^<domain type='qemu' id='\d+'>\n/);
    expect(xml).toContain('<nova:name>two of four vCPUs</nova:name>');
  });

  it('give what an image occupies', () => {
    expect(procedures.blockInfo.read(new XdrReader(recorded.reply('blockInfo')))).toEqual({
      allocation: 331776n,
      capacity: 67108864n,
      physical: 393216n,
    });
  });
});

describe('arbitrary bytes as a reply', () => {
  const all = Object.values(procedures).filter((value) => typeof value === 'object' && 'read' in value);

  it.each(all.map((procedure) => [procedure.name, procedure] as const))(
    'to the %s throw nothing but an XdrError',
    (_name, { read }) => {
      fc.assert(
        fc.property(fc.uint8Array({ maxLength: 400 }), (input) => {
          try {
            read(new XdrReader(Buffer.from(input)));
          } catch (error) {
            expect(error).toBeInstanceOf(XdrError);
          }
        }),
      );
    },
  );
});

describe('calls', () => {
  it('name each domain by name, UUID and id', () => {
    const writer = new XdrWriter();
    const domain = { name: 'vm', uuid: '0a1b2c3d-4e5f-4789-abcd-ef0123456789', id: 3 };

    procedures.allDomainStats.write(writer, {
      domains: [domain],
      groups: procedures.STATS_GROUPS,
      flags: procedures.STATS_NOWAIT,
    });

    expect(writer.finish().toString('hex')).toBe(
      ['00000001', '00000002', '766d0000', '0a1b2c3d4e5f4789abcdef0123456789', '00000003', '0000007f', '20000000'].join(
        '',
      ),
    );
  });
});

describe('recorded events', () => {
  it('name their domain, whatever else they say', () => {
    const names = recorded.events.map((message) => eventDomain({ ...event, ...message })?.name);

    expect(recorded.events.map(({ procedure }) => procedure)).toEqual([354, 318, 318]);
    expect(names).toEqual(['instance-00000001', 'instance-00000001', 'instance-00000001']);
  });

  it('that nobody registered for are left alone', () => {
    const reboot = 319;

    expect(eventDomain({ ...event, procedure: reboot, payload: Buffer.alloc(0) })).toBeUndefined();
  });

  it('that are cut short throw an XdrError', () => {
    const payload = recorded.events[0]?.payload.subarray(0, 20) ?? Buffer.alloc(0);

    expect(() => eventDomain({ ...event, procedure: LIFECYCLE.procedure, payload })).toThrow(XdrError);
  });
});
