import { describe, expect, it } from 'vitest';
import { findNovaElement, readNovaMetadata } from '../../../src/pollsters/compute/nova-metadata.ts';
import { parseXml } from '../../../src/pollsters/compute/xml.ts';
import { domainOf, novaXml } from './domains.ts';

function read(parts: Parameters<typeof novaXml>[0]) {
  return readNovaMetadata(parseXml(novaXml(parts)));
}

const flavorOf = (content: string, attributes = 'name="f"') => `<n:flavor ${attributes}>${content}</n:flavor>`;

describe('Nova metadata', () => {
  it('tells owner, name and flavor', () => {
    const nova = read({});

    expect(nova).toMatchObject({ name: 'web', userId: 'user-1', projectId: 'project-1', imageId: undefined });
    expect(nova.flavor).toEqual({
      id: '7',
      name: 'm1.tiny',
      vcpus: 2,
      ram: 512,
      disk: 20,
      ephemeral: 5,
      swap: 0,
      extraSpecs: undefined,
    });
  });

  it('counts absent numbers of the flavor as 0', () => {
    const { flavor } = read({ flavor: flavorOf('<n:memory> 64 </n:memory>') });

    expect(flavor).toMatchObject({ vcpus: 0, ram: 64, disk: 0, ephemeral: 0, swap: 0 });
  });

  it('keeps numbers that no double holds', () => {
    const { flavor } = read({ flavor: flavorOf('<n:disk>9223372036854775807</n:disk>') });

    expect(flavor.disk).toBe(9223372036854775807n);
  });

  it('has no flavor id when Nova wrote none or an empty one', () => {
    expect(read({ flavor: flavorOf('') }).flavor.id).toBeUndefined();
    expect(read({ flavor: flavorOf('', 'name="f" id=""') }).flavor.id).toBeUndefined();
  });

  it('tells no extra specs from unknown ones', () => {
    const empty = read({ flavor: flavorOf('<n:extraSpecs/>') });
    const some = read({
      flavor: flavorOf('<n:extraSpecs><n:extraSpec name="a:b">1</n:extraSpec><n:extraSpec name="c"/></n:extraSpecs>'),
    });

    expect(empty.flavor.extraSpecs).toEqual({});
    expect(some.flavor.extraSpecs).toEqual({ 'a:b': '1', c: null });
  });

  it('takes the image of the root disk, not another root', () => {
    const nova = read({ more: '<n:root type="volume" uuid="v"/><n:root type="image" uuid="i"/>' });

    expect(nova.imageId).toBe('i');
  });

  it('tells what Nova wrote of the image, in the order of upstream', () => {
    const nova = read({
      more:
        '<n:image uuid="i"><n:properties><n:property name="os">deb</n:property><n:property name="min_ram">9</n:property></n:properties>' +
        '<n:minRam>1</n:minRam><n:minDisk/><n:diskFormat>raw</n:diskFormat><n:containerFormat>bare</n:containerFormat></n:image>',
    });

    expect(JSON.stringify(nova.imageMeta)).toBe(
      '{"base_image_ref":"i","container_format":"bare","disk_format":"raw","min_disk":null,"min_ram":"9","os":"deb"}',
    );
  });

  it('keeps property names literally', () => {
    const nova = read({
      more: '<n:image><n:properties><n:property name="__proto__">p</n:property></n:properties></n:image>',
    });

    expect(JSON.stringify(nova.imageMeta)).toBe('{"__proto__":"p"}');
  });

  it('has a null name when the name is empty', () => {
    expect(read({ name: '<n:name/>' }).name).toBeNull();
  });

  it.each([
    ['element name of the Nova metadata is missing', { name: '' }],
    ['element owner/user of the Nova metadata is missing', { owner: '' }],
    ['element owner/project of the Nova metadata is missing', { owner: '<n:owner><n:user uuid="u"/></n:owner>' }],
    [
      "element owner/user of the Nova metadata has no attribute 'uuid'",
      { owner: '<n:owner><n:user/><n:project uuid="p"/></n:owner>' },
    ],
    ['element flavor of the Nova metadata is missing', { flavor: '' }],
    ["element flavor of the Nova metadata has no attribute 'name'", { flavor: '<n:flavor id="1"/>' }],
    ['element flavor/memory of the Nova metadata is "", expected an integer', { flavor: flavorOf('<n:memory/>') }],
    [
      'element flavor/vcpus of the Nova metadata is "two", expected an integer',
      { flavor: flavorOf('<n:vcpus>two</n:vcpus>') },
    ],
    [
      "element flavor/extraSpecs/extraSpec of the Nova metadata has no attribute 'name'",
      { flavor: flavorOf('<n:extraSpecs><n:extraSpec>1</n:extraSpec></n:extraSpecs>') },
    ],
    ["element root[@type='image'] of the Nova metadata has no attribute 'uuid'", { more: '<n:root type="image"/>' }],
    [
      "element image/properties/property of the Nova metadata has no attribute 'name'",
      { more: '<n:image><n:properties><n:property>1</n:property></n:properties></n:image>' },
    ],
  ])('that is broken is refused: %s', (message, parts) => {
    expect(() => read(parts)).toThrow(message);
  });

  it.each(['1.0', '1.1'])('is found in name space %s', (version) => {
    const found = findNovaElement(parseXml(domainOf({ metadata: novaXml({ version }) }).xml));

    expect(found).toMatchObject({ unknownVersion: undefined });
  });

  it('is read as the newest known version says when there are several', () => {
    const metadata = ['1.0', '2.0', '1.1'].map((version) => novaXml({ version, name: `<n:name>${version}</n:name>` }));

    const found = findNovaElement(parseXml(domainOf({ metadata: metadata.join('') }).xml));

    expect(found && readNovaMetadata(found.element).name).toBe('1.1');
  });

  it('of other applications is none', () => {
    const metadata = '<app:x xmlns:app="http://example.org/app/1.0"/><plain/>';

    expect(findNovaElement(parseXml(domainOf({ metadata }).xml))).toBeUndefined();
    expect(findNovaElement(parseXml('<domain><name>x</name></domain>'))).toBeUndefined();
  });
});
