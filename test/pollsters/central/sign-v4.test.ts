import { describe, expect, it } from 'vitest';
import { canonicalQuery, signV4 } from '../../../src/pollsters/central/sign-v4.ts';

describe('the signature of a request', () => {
  it('is the one that awscurl made for upstream', () => {
    const query = canonicalQuery({ uid: 'ab6a2cef884145d081bd554c2956abbb', stats: 'true' });
    const url = new URL(`http://127.0.0.1:7480/admin/bucket?${query}`);

    const headers = signV4(url, { accessKey: 'AK', secretKey: 'SK' }, Date.parse('2026-11-22T15:20:30Z'));

    expect(headers['x-amz-date']).toBe('20261122T152030Z');
    expect(headers['authorization']).toBe(
      'AWS4-HMAC-SHA256 Credential=AK/20261122/us-east-1/s3/aws4_request, ' +
        'SignedHeaders=host;x-amz-content-sha256;x-amz-date, ' +
        'Signature=1dc180a3a3fb6bd0349057d0b3b7940f1d57730231fc21bf905b1f23ae80d9e3',
    );
  });

  it('covers a query that is sorted and escaped as AWS does it', () => {
    expect(canonicalQuery({ uid: "a$b'", stats: 'true' })).toBe('stats=true&uid=a%24b%27');
  });
});
