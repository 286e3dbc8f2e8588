import { describe, expect, it } from 'vitest';
import { ConfigError } from '../../src/errors.ts';
import { explainConnectError } from '../../src/messaging/connect-error.ts';

const target = { user: 'me', virtualHost: 'nova' };

function coded(code: string, message = ''): Error {
  return Object.assign(new Error(message), { code });
}

describe('explainConnectError', () => {
  it.each([
    [coded('ECONNREFUSED'), 'connection refused'],
    [Object.assign(new AggregateError([]), { code: 'ECONNREFUSED' }), 'connection refused'],
    [coded('ENOTFOUND', 'getaddrinfo ENOTFOUND h'), 'unknown host name'],
    [
      new Error(
        'Handshake terminated by server: 403 (ACCESS-REFUSED) with message "ACCESS_REFUSED - Login was refused"',
      ),
      "the broker refused user 'me': check the user and password of the transport URL",
    ],
    [
      new Error('Expected ConnectionOpenOk; got <ConnectionClose channel:0>'),
      "the broker refused virtual host 'nova': it does not exist, or user 'me' may not use it",
    ],
    [
      coded('CERT_HAS_EXPIRED', 'certificate has expired'),
      "the broker's certificate was not accepted: certificate has expired",
    ],
    [coded('ERR_SSL_WRONG_VERSION_NUMBER', 'long'), 'the broker does not speak TLS on this port'],
    [new Error('Frame size 1345270062 exceeds maxFrameSize 67108864'), 'what answers there does not speak AMQP'],
    [
      new Error('Socket closed abruptly during opening handshake'),
      'the broker closed the connection before it was open',
    ],
    [new ConfigError('queue q exists'), 'queue q exists'],
    [new Error('Channel closed', { cause: new Error('why') }), 'Channel closed: why'],
  ])('says %s in the words of an operator', (error, explanation) => {
    expect(explainConnectError(error, target)).toBe(explanation);
  });
});
