import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseExactJson } from '../../src/wire/json-parser.ts';
import { createPageSigner, createSigner, signedText } from '../../src/wire/signature.ts';
import { isObject } from '../../src/wire/value.ts';
import { goldenObjects, string } from '../helpers/golden-wire.ts';

describe("signatures of Ceilometer's own function", () => {
  const examples = goldenObjects('wire/signature-examples.json');

  it('has all of the examples', () => {
    expect(examples).toHaveLength(18);
  });

  it.each(examples.map((example) => [string(example, 'name'), example] as const))(
    'repeats the case %s',
    (_, example) => {
      const message = parseExactJson(string(example, 'message_json'));

      const signature = isObject(message) && createSigner(string(example, 'secret'))(signedText(message));

      expect(signature).toBe(example['signature']);
    },
  );
});

describe('createSigner', () => {
  it('is HMAC-SHA256 for any secret and text, one after the other', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary', minLength: 1, maxLength: 200 }),
        fc.array(fc.string({ unit: 'binary', maxLength: 6000 }), { maxLength: 4 }),
        (secret, texts) => {
          const sign = createSigner(secret);

          for (const text of texts) {
            expect(sign(text)).toBe(createHmac('sha256', secret).update(text, 'utf8').digest('hex'));
          }
        },
      ),
      { numRuns: 60 },
    );
  });

  it('signs a text in pieces as it signs the whole', () => {
    const signer = createPageSigner('k');

    const page = signer.begin();
    page.writeUtf8('é1');
    page.append(Buffer.from('mitte ☃'.repeat(2000)));
    page.write('2');

    expect(signer.end()).toBe(createSigner('k')(`é1${'mitte ☃'.repeat(2000)}2`));
    signer.begin().writeUtf8('x');
    expect(signer.end()).toBe(createSigner('k')('x'));
  });

  it('signs a text that is longer than any before', () => {
    const sign = createSigner('k');
    const long = '\u2603'.repeat(50_000);

    const signature = sign(long);

    expect(signature).toBe(createHmac('sha256', 'k').update(long, 'utf8').digest('hex'));
  });

  it('leaves the signature empty without a secret', () => {
    expect(createSigner('')('text')).toBe('');
  });
});

describe('signedText', () => {
  it('skips the signature of the message itself but not one in its metadata', () => {
    const text = signedText({ b: 1, message_signature: 'old', a: { message_signature: 'kept', z: {} } });

    expect(text).toBe('a:message_signaturekeptb1');
  });
});
