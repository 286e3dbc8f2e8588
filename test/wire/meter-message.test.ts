import { describe, expect, it } from 'vitest';
import type { Sample } from '../../src/sample.ts';
import { stringifyJson } from '../../src/wire/json.ts';
import { parseExactJson } from '../../src/wire/json-parser.ts';
import { createSampleEncoder } from '../../src/wire/meter-message.ts';
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

describe('samples of the real agent', () => {
  it.each([
    ['compute/golden/master-default.samples.json.gz', 'change this for valid signing'],
    ['wire/master-topsecret.samples.json.gz', 'topsecret'],
  ])('are made again bit for bit: %s', (file, secret) => {
    const encode = createSampleEncoder(secret, 'plain');
    const golden = goldenObjects(file);

    const made = golden.map((message) => encode(sampleOf(message)));

    expect(golden).toHaveLength(818);
    expect(made).toEqual(golden.map((message) => stringifyJson(message)));
  });
});

describe('createSampleEncoder', () => {
  it('signs the message that a reader gets', () => {
    const message = parseExactJson(createSampleEncoder('s3cr3t', 'plain')(sample));

    const signature = isObject(message) && createSigner('s3cr3t')(signedText(message));

    expect(message).toHaveProperty('message_signature', signature);
  });

  it('keeps a counter of 64 bits exact and marks a number as a float', () => {
    const encode = createSampleEncoder('', 'plain');

    expect(encode(sample)).toContain('"counter_volume": 18446744073709551615, ');
    expect(encode({ ...sample, volume: 32 })).toContain('"counter_volume": 32.0, ');
    expect(encode(sample)).toContain('"monotonic_time": 2032.0, ');
    expect(encode({ ...sample, monotonicTime: null })).toContain('"monotonic_time": null, ');
  });

  it('leaves the signature empty without a secret', () => {
    expect(createSampleEncoder('', 'plain')(sample)).toMatch(/, "message_signature": ""}$/);
  });

  it('writes the nested form as the plain one stands inside of a string', () => {
    const nested = createSampleEncoder('k', 'nested')(sample);

    expect(JSON.parse(`"${nested}"`)).toBe(createSampleEncoder('k', 'plain')(sample));
  });

  it('does not mix up the metadata of different resources', () => {
    const encode = createSampleEncoder('k', 'plain');
    const metadata = { ...sample.metadata };

    const first = encode({ ...sample, metadata });
    const other = encode({ ...sample, metadata: { c: 1 } });

    expect(other).toContain('"resource_metadata": {"c": 1}, ');
    expect(encode({ ...sample, metadata })).toBe(first);
  });
});
