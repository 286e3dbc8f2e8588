import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { extendMetadata, type Metadata } from '../../src/sample.ts';
import { type JsonForm, stringifyJson } from '../../src/wire/json.ts';
import { append, createMetadataTexts } from '../../src/wire/metadata-text.ts';
import { Page } from '../../src/wire/page.ts';
import { signedText } from '../../src/wire/signature.ts';

function textsOf(metadata: Metadata, form: JsonForm = 'plain') {
  const text = createMetadataTexts(form, true)(metadata);
  const [json, signed] = [text.json, text.signed].map((pieces) => {
    const page = new Page(16);
    append(page, pieces);
    return page.view().toString('utf8');
  });
  return { json, signed };
}

const instance: Metadata = {
  display_name: 'vm-1',
  name: 'instance-00000001',
  host: '8f3b2c9f0b5f0d1b1b2f0c3e4d5a6b7c8d9e0f1a2b3c4d5e6f708192',
  flavor: { id: 'f5d16e52-5d2c-4b0b-9d60-2b5b6e4cb5d4', name: 'm1.small', vcpus: 1, extra_specs: {} },
  image: null,
  status: 'active',
  root_gb: 20,
};

describe('the text of metadata that was made from others', () => {
  it('is the one of the same metadata alone, whatever is added or replaced', () => {
    const value = fc.oneof(
      fc.string({ unit: 'grapheme' }),
      fc.integer(),
      fc.constant(null),
      fc.dictionary(fc.string(), fc.string({ maxLength: 60 }), { noNullPrototype: true }),
      fc.array(fc.string()),
    );
    const object = fc.dictionary(fc.string({ maxLength: 3 }), value, { noNullPrototype: true });

    fc.assert(
      fc.property(object, object, fc.constantFrom<JsonForm>('plain', 'nested'), (base, own, form) => {
        const made = textsOf(extendMetadata(base, own), form);

        const alone = { ...base, ...own };
        expect(made).toEqual({ json: stringifyJson(alone, form), signed: signedText(alone, 'resource_metadata') });
      }),
      { numRuns: 300 },
    );
  });

  it('holds only what the other one has not', () => {
    const textOf = createMetadataTexts('nested', true);

    const [whole = ''] = textOf(instance).json;
    const ownBytes = (own: Metadata) =>
      textOf(extendMetadata(instance, own))
        .json.filter((piece) => !whole.includes(piece))
        .join('').length;

    expect(whole.length).toBeGreaterThan(250);
    expect(ownBytes({ disk_name: 'vda' })).toBeLessThan(50);
    expect(ownBytes({ name: 'tap0', mac: 'fa:16:3e:00:00:01', vnic_name: 'tap0' })).toBeLessThan(150);
  });

  it('has nothing of the other one where the other one was made from a third', () => {
    const disk = extendMetadata(extendMetadata(instance, { disk_name: 'vda' }), { cpu_number: 2 });

    const { json } = textsOf(disk);

    expect(json).toBe(stringifyJson({ ...instance, disk_name: 'vda', cpu_number: 2 }));
  });

  it('is made once for an object', () => {
    const textOf = createMetadataTexts('plain', false);

    expect(textOf(instance)).toBe(textOf(instance));
    expect(textOf({ ...instance })).not.toBe(textOf(instance));
  });
});
