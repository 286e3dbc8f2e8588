import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseBackendUrl } from '../../../src/agent/coordination/backend-url.ts';
import { openBackend } from '../../../src/agent/coordination/open-backend.ts';
import { codeOf } from '../../../src/errors.ts';

describe('[coordination] backend_url', () => {
  it('has user, address, path and options, of which some are said several times', () => {
    const url = parseBackendUrl(
      'redis://ann:s%3Acret@10.0.0.1:26379?sentinel=m&sentinel_fallback=b:1&sentinel_fallback=c:2&db=',
    );

    expect(url).toEqual({
      scheme: 'redis',
      host: '10.0.0.1',
      port: 26_379,
      user: 'ann',
      password: 's:cret',
      path: '',
      options: new Map([
        ['sentinel', ['m']],
        ['sentinel_fallback', ['b:1', 'c:2']],
      ]),
      shown: 'redis://10.0.0.1:26379',
    });
  });

  it.each([
    ['etcd3+https://[fd00::1]:2379', 'fd00::1', 2379, ''],
    ['file:///var/lib/members?timeout=5', '', undefined, '/var/lib/members'],
    ['redis:///run/redis.sock', '', undefined, '/run/redis.sock'],
    ['redis://', '', undefined, ''],
  ])('reads %s', (text, host, port, path) => {
    expect(parseBackendUrl(text)).toMatchObject({ host, port, path });
  });

  it.each([
    ['zookeeper://h', 'no backend zookeeper (known: etcd3+http, etcd3+https, file, redis)'],
    ['redis', 'expected scheme://host:port?option=value'],
    ['redis://h:0', 'port 0 is not from 1 to 65535'],
    ['redis://h:70000', 'port 70000 is not from 1 to 65535'],
    ['redis://h?dbs=1', 'redis has no option dbs (known: db, '],
    ['redis://h?db=one', 'expected db to be a whole number, got one'],
    ['redis://h?ssl=perhaps', 'expected ssl to be true or false, got perhaps'],
    ['redis://h?sentinel=m&sentinel_fallback=other', 'expected sentinel_fallback to be host:port, got other'],
    ['redis://u:50%@h', 'a % in user and password has to be written %25'],
    ['etcd3+http://h?membership_timeout=0', 'expected membership_timeout to be from 0.1 to 86400 seconds, got 0'],
    ['etcd3+http://root:pw@h', 'etcd takes the certificate of cert_cert and cert_key, not a user and password'],
    ['file://var/lib/x', 'expected file:///path/of/a/directory'],
  ])('refuses %s in one line that names the option', (url, message) => {
    const open = () => openBackend(url, 'me');

    expect(open).toThrow(`[coordination] backend_url: ${message}`);
    expect(open).not.toThrow(/pw/);
  });

  it('takes the lease from membership_timeout, else from timeout, else from tooz', () => {
    const leases = [
      'etcd3+http://h',
      'redis://h',
      'file:///x',
      'redis://h?timeout=7&membership_timeout=2.5',
      'file:///x?timeout=4',
    ];

    expect(leases.map((url) => openBackend(url, 'me').lease)).toEqual([30_000, 30_000, 10_000, 2_500, 4_000]);
  });

  it('never fails otherwise, and never repeats a password', () => {
    fc.assert(
      fc.property(fc.string(), fc.stringMatching(/^[a-z]{12}$/), (text, password) => {
        for (const url of [text, `redis://u:${password}@${text}`]) {
          try {
            expect(openBackend(url, 'me').shown).not.toContain(password);
          } catch (err) {
            expect(codeOf(err)).toBe('ERR_CONFIG');
            expect(String(err)).not.toContain(password);
          }
        }
      }),
    );
  });
});
