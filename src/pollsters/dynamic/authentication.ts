/** The classes for authentication that definitions name. They are Python's; those that are known are built in. */
import { createHmac } from 'node:crypto';
import { ServiceError } from '../../errors.ts';

/** The headers that go with a GET of the URL. */
export type Authentication = (url: URL, credentials: readonly string[], now: Date) => Readonly<Record<string, string>>;

/** Undefined for a class that is not built in. */
export function findAuthentication(module: string, object: string): Authentication | undefined {
  if (object === 'S3Auth' && /^(awsauth|S3Auth|s3auth)$/.test(module)) return s3;
  if (/^(HTTP)?Basic(Auth)?$/.test(object)) return basic;
  return undefined;
}

function basic(_url: URL, [user = '', password]: readonly string[]): Readonly<Record<string, string>> {
  if (password === undefined) throw new ServiceError('the credentials are not a user and a password');
  return { authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}` };
}

/** Parts of the query that are signed. */
const SIGNED = new Set(
  'acl cors delete lifecycle location logging notification partNumber policy requestPayment torrent uploadId uploads versionId versioning versions website'.split(
    ' ',
  ),
);

/** Version 2 of the signature of S3, as RADOS gateway takes it. */
function s3(url: URL, credentials: readonly string[], now: Date): Readonly<Record<string, string>> {
  const [key, secret, server = ''] = credentials;
  if (key === undefined || secret === undefined) {
    throw new ServiceError('the credentials are not an access key, a secret key and a server');
  }
  const date = now.toUTCString();
  const bucket = url.host.endsWith(`.${server}`) ? `/${url.host.slice(0, -server.length - 1)}` : '';
  const query = url.search
    .slice(1)
    .split('&')
    .filter((part) => SIGNED.has(part.replace(/=.*/, '')))
    .sort()
    .join('&');
  const resource = `${bucket}${url.pathname}${query === '' ? '' : `?${query}`}`;
  const signature = createHmac('sha1', secret).update(`GET\n\n\n${date}\n${resource}`).digest('base64');
  return { date, authorization: `AWS ${key}:${signature}` };
}
