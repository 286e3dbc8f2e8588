import { describe, expect, it } from 'vitest';
import type { Sample } from '../../src/sample.ts';
import { type JsonForm, stringifyJson } from '../../src/wire/json.ts';
import { parseExactJson } from '../../src/wire/json-parser.ts';
import { createSampleWriter } from '../../src/wire/meter-message.ts';
import { Page } from '../../src/wire/page.ts';
import { createSigner, signedText } from '../../src/wire/signature.ts';
import { isObject } from '../../src/wire/value.ts';
import { goldenObjects, sampleOf } from '../helpers/golden-wire.ts';

const sample: Sample = {
  id: 'id',
  name: 'cpu',
  type: 'cumulative',
  unit: 'ns',
  volume: 18446744073709551615n,
  resourceId: 'r"é',
  projectId: 'p',
  projectName: 'pn',
  userId: null,
  userName: 'un',
  timestamp: '2026-11-22T14:31:46.556001',
  monotonicTime: 2032,
  metadata: { b: [1, 'x'], a: { host: 'é', n: 2.5 }, empty: {} },
  source: 'openstack',
};

/** Makes whole texts. */
function encoder(secret: string, form: JsonForm): (sample: Sample) => string {
  const write = createSampleWriter(secret, form);
  return (one) => {
    const page = new Page(16);
    write(one, page);
    return page.toString();
  };
}

describe('samples of the real agent', () => {
  it.each([
    ['compute/golden/master-default.samples.json.gz', 'change this for valid signing'],
    ['wire/master-topsecret.samples.json.gz', 'topsecret'],
  ])('are made again bit for bit: %s', (file, secret) => {
    const encode = encoder(secret, 'plain');
    const golden = goldenObjects(file);

    const made = golden.map((message) => encode(sampleOf(message)));

    expect(golden).toHaveLength(818);
    expect(made).toEqual(golden.map((message) => stringifyJson(message)));
  });
});

describe('createSampleWriter', () => {
  it('signs the message that a reader gets', () => {
    const message = parseExactJson(encoder('s3cr3t', 'plain')(sample));

    const signature = isObject(message) && createSigner('s3cr3t')(signedText(message));

    expect(message).toHaveProperty('message_signature', signature);
  });

  it('keeps a counter of 64 bits exact and marks a number as a float', () => {
    const encode = encoder('', 'plain');

    expect(encode(sample)).toContain('"counter_volume": 18446744073709551615, ');
    expect(encode({ ...sample, volume: 32 })).toContain('"counter_volume": 32.0, ');
    expect(encode(sample)).toContain('"monotonic_time": 2032.0, ');
    expect(encode({ ...sample, monotonicTime: null })).toContain('"monotonic_time": null, ');
  });

  it('leaves the signature empty without a secret', () => {
    expect(encoder('', 'plain')(sample)).toMatch(/, "message_signature": ""}$/);
  });

  it('writes the nested form as the plain one stands inside of a string', () => {
    const nested = encoder('k', 'nested')(sample);

    expect(JSON.parse(`"${nested}"`)).toBe(encoder('k', 'plain')(sample));
  });

  it('does not mix up meters that differ in one thing only', () => {
    const encode = encoder('k', 'plain');
    const others: Sample[] = [
      { ...sample, name: 'other' },
      { ...sample, type: 'delta' },
      { ...sample, unit: 's' },
      { ...sample, source: 'test' },
    ];

    const [first, ...rest] = [sample, ...others].map((one) => parseExactJson(encode(one)));

    expect(first).toMatchObject({ counter_name: 'cpu', counter_type: 'cumulative', source: 'openstack' });
    expect(rest[0]).toHaveProperty('counter_name', 'other');
    expect(rest[1]).toHaveProperty('counter_type', 'delta');
    expect(rest[2]).toHaveProperty('counter_unit', 's');
    expect(rest[3]).toHaveProperty('source', 'test');
    for (const [index, message] of rest.entries()) {
      const signature = isObject(message) && createSigner('k')(signedText(message));
      expect(message, String(index)).toHaveProperty('message_signature', signature);
    }
  });

  it('does not mix up the metadata of different resources', () => {
    const encode = encoder('k', 'plain');
    const metadata = { ...sample.metadata };

    const first = encode({ ...sample, metadata });
    const other = encode({ ...sample, metadata: { c: 1 } });

    expect(other).toContain('"resource_metadata": {"c": 1}, ');
    expect(encode({ ...sample, metadata })).toBe(first);
  });
});
