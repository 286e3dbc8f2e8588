import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseTransportUrl, redactTransportUrl } from '../../src/messaging/transport-url.ts';

const guest = { user: 'guest', password: 'guest' };

describe('parseTransportUrl', () => {
  it('reads hosts with their own users, the virtual host and the options', () => {
    const url = parseTransportUrl('rabbit://u1:p1@h1:5673,u2:p2@h2/nova?ssl=1&heartbeat_timeout_threshold=30');

    expect(url).toEqual({
      hosts: [
        { host: 'h1', port: 5673, user: 'u1', password: 'p1' },
        { host: 'h2', port: 5672, user: 'u2', password: 'p2' },
      ],
      virtualHost: 'nova',
      tls: false,
      options: { ssl: '1', heartbeat_timeout_threshold: '30' },
      mixedUsers: false,
    });
  });

  it.each([
    ['rabbit://', { host: 'localhost', port: 5672, ...guest }, '/'],
    ['rabbit:///v', { host: 'localhost', port: 5672, ...guest }, 'v'],
    ['rabbit://u:p@', { host: 'localhost', port: 5672, user: 'u', password: 'p' }, '/'],
    ['rabbit://h', { host: 'h', port: 5672, ...guest }, '/'],
    ['rabbit://h/', { host: 'h', port: 5672, ...guest }, '/'],
    ['rabbit://h//', { host: 'h', port: 5672, ...guest }, '/'],
    ['rabbit://h/%2F', { host: 'h', port: 5672, ...guest }, '/'],
    ['rabbit://h/a%20b', { host: 'h', port: 5672, ...guest }, 'a b'],
    ['rabbit://me@h', { host: 'h', port: 5672, user: 'me', password: 'guest' }, '/'],
    ['rabbit://a@realm:p@h:1', { host: 'h', port: 1, user: 'a@realm', password: 'p' }, '/'],
    ['rabbit://u:a:b%40%2F%C3%A9%zz@h', { host: 'h', port: 5672, user: 'u', password: 'a:b@/é%zz' }, '/'],
    ['rabbit://u:p@[::1]:5673/', { host: '::1', port: 5673, user: 'u', password: 'p' }, '/'],
    ['rabbit://[fe80::1]', { host: 'fe80::1', port: 5672, ...guest }, '/'],
    ['rabbit://2001:db8::7', { host: '2001:db8::7', port: 5672, ...guest }, '/'],
    ['kombu+amqp://h', { host: 'h', port: 5672, ...guest }, '/'],
  ])('reads %s', (text, host, virtualHost) => {
    const url = parseTransportUrl(text);

    expect(url).toEqual({ hosts: [host], virtualHost, tls: false, options: {}, mixedUsers: false });
  });

  it('notices when only some hosts name a user', () => {
    expect(parseTransportUrl('rabbit://u:p@h1,h2').mixedUsers).toBe(true);
    expect(parseTransportUrl('rabbit://h1,h2').mixedUsers).toBe(false);
  });

  it('takes TLS from the scheme that says so', () => {
    expect(parseTransportUrl('kombu+amqps://h').tls).toBe(true);
  });

  it.each([
    ['', 'expected rabbit://USER:PASSWORD@HOST:PORT/VIRTUAL_HOST'],
    ['localhost:5672', 'expected rabbit://'],
    ['amqp://u:s3cret@h', "unknown scheme 'amqp': only rabbit:// is supported"],
    ['kafka://h', "unknown scheme 'kafka'"],
    ['rabbit://u:s3cret@h:x', 'the port of host 1 is not a number from 1 to 65535'],
    ['rabbit://h1,u:s3cret@h2:70000', 'the port of host 2'],
    ['rabbit://u:s3cret#more@h', 'the port of host 1 is not a number from 1 to 65535; characters such as'],
    ['rabbit://u:s3c/ret@h', 'percent-encoded'],
    ['rabbit://u:s3cret@[::1', 'host 1 is malformed'],
  ])('says what is wrong with %s and never shows a password', (text, message) => {
    expect(() => parseTransportUrl(text)).toThrow(message);
    expect(() => parseTransportUrl(text)).not.toThrow(/s3c|ret/);
  });

  it('reads back any user, password and virtual host', () => {
    const text = fc.string({ unit: 'binary', minLength: 1 }).filter((value) => !/\p{Surrogate}/u.test(value));
    fc.assert(
      fc.property(text, text, text, (user, password, virtualHost) => {
        const url = parseTransportUrl(
          `rabbit://${encodeURIComponent(user)}:${encodeURIComponent(password)}@h/${encodeURIComponent(virtualHost)}`,
        );

        expect(url.hosts).toEqual([{ host: 'h', port: 5672, user, password }]);
        expect(url.virtualHost).toBe(virtualHost);
      }),
    );
  });
});

describe('redactTransportUrl', () => {
  it.each([
    ['rabbit://u:s3cret@h:5672,u2:s3cret@h2/v?ssl=1', 'rabbit://u:***@h:5672,u2:***@h2/v?ssl=1'],
    ['rabbit://u:s3/cr?e#t@h/v', 'rabbit://u:***@h/v'],
    ['rabbit://u:s3,cret@h/v', 'rabbit://***,***@h/v'],
    ['rabbit://u@h/v', 'rabbit://***@h/v'],
    ['rabbit://h1:5672,[::1]:5672,h2/v', 'rabbit://h1:5672,[::1]:5672,h2/v'],
    ['rabbit://', 'rabbit://'],
    ['u:s3cret@h', 'u:***@h'],
  ])('turns %s into %s', (url, redacted) => {
    expect(redactTransportUrl(url)).toBe(redacted);
  });
});
