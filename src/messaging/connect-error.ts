/** Says in the operator's words why a broker could not be used. */
import { codeOf, describeError } from '../errors.ts';

const byCode: ReadonlyMap<string, string> = new Map([
  ['ECONNREFUSED', 'connection refused'],
  ['ECONNRESET', 'connection reset'],
  ['ENOTFOUND', 'unknown host name'],
  ['EAI_AGAIN', 'the host name cannot be resolved at present'],
  ['EHOSTUNREACH', 'no route to the host'],
  ['ENETUNREACH', 'the network is unreachable'],
  ['ETIMEDOUT', 'no answer'],
]);

const certificate =
  /^(?:DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_|CERT_|ERR_TLS_CERT_ALTNAME_INVALID)/;

export interface Target {
  readonly user: string;
  readonly virtualHost: string;
}

/** One line without secrets. */
export function explainConnectError(error: unknown, { user, virtualHost }: Target): string {
  const code = codeOf(error) ?? '';
  const known = byCode.get(code);
  if (known !== undefined) return known;
  const text = describeError(error);
  if (certificate.test(code)) return `the broker's certificate was not accepted: ${text}`;
  if (text.includes('ACCESS_REFUSED')) {
    return `the broker refused user '${user}': check the user and password of the transport URL`;
  }
  // amqplib keeps the broker's own words to itself here.
  if (text.startsWith('Expected ConnectionOpenOk')) {
    return `the broker refused virtual host '${virtualHost}': it does not exist, or user '${user}' may not use it`;
  }
  if (code === 'ERR_SSL_WRONG_VERSION_NUMBER') return 'the broker does not speak TLS on this port';
  // The first bytes of another protocol are the size of no frame.
  if (/^Frame size \d+ exceeds/.test(text)) return 'what answers there does not speak AMQP';
  if (text.includes('Socket closed abruptly')) return 'the broker closed the connection before it was open';
  return text;
}
