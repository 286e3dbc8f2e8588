import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { OpenStackSession } from '../../src/openstack/session.ts';
import { type FakeCloud, json } from '../helpers/fake-openstack.ts';
import { hasOpenssl, makePki } from '../helpers/pki.ts';
import { cloudWith, SERVERS, servers, sessionOf, signal } from './support.ts';

const title = hasOpenssl() ? 'TLS' : 'TLS (needs openssl)';

describe.skipIf(!hasOpenssl())(title, () => {
  const folder = mkdtempSync(join(tmpdir(), 'ceilometer-pki-'));
  const file = (name: string) => join(folder, name);
  const bytes = (name: string) => readFileSync(file(name));

  beforeAll(async () => {
    await makePki(folder);
    writeFileSync(file('both.pem'), Buffer.concat([bytes('clientkey.pem'), bytes('clientcert.pem')]));
    writeFileSync(file('neither.txt'), 'hello');
  });

  afterAll(() => rmSync(folder, { recursive: true }));

  async function tlsCloud(options: { readonly clients?: boolean } = {}): Promise<FakeCloud> {
    const server = { cert: bytes('servercert.pem'), key: bytes('serverkey.pem'), ca: bytes('cacert.pem') };
    return cloudWith({ [SERVERS]: json(servers) }, { ...server, requestCert: options.clients === true });
  }

  const ask = (session: OpenStackSession) => session.service('compute').get('/servers', { signal: signal() });

  it('trusts the authority of cafile', async () => {
    const cloud = await tlsCloud();

    expect(await ask(sessionOf(cloud, { cafile: file('cacert.pem') }))).toEqual(servers);
  });

  it.each([
    ['without cafile', {}],
    ['with another authority', { cafile: file('clientcert.pem') }],
  ])('does not trust it %s', async (_how, changes) => {
    const cloud = await tlsCloud();

    const error = await ask(sessionOf(cloud, changes)).catch((reason: Error) => reason);

    expect(error).toMatchObject({ code: 'ERR_SERVICE', cause: { message: expect.stringMatching(/certificate/) } });
    expect(cloud.logins).toEqual([]);
  });

  it('checks nothing when told to', async () => {
    const cloud = await tlsCloud();

    expect(await ask(sessionOf(cloud, { insecure: true }))).toEqual(servers);
  });

  it.each([
    ['two files', { certfile: file('clientcert.pem'), keyfile: file('clientkey.pem') }],
    ['one file', { certfile: file('both.pem') }],
  ])('shows the certificate of %s to who asks for one', async (_how, changes) => {
    const cloud = await tlsCloud({ clients: true });

    expect(await ask(sessionOf(cloud, { cafile: file('cacert.pem'), ...changes }))).toEqual(servers);
  });

  it('is refused by who asks for a certificate when there is none', async () => {
    const cloud = await tlsCloud({ clients: true });

    await expect(ask(sessionOf(cloud, { cafile: file('cacert.pem') }))).rejects.toMatchObject({ code: 'ERR_SERVICE' });
    expect(cloud.logins).toEqual([]);
  });

  it.each([
    ['that is not there', '/nonexistent/ca.pem', 'cannot read cafile /nonexistent/ca.pem'],
    ['that holds none', file('neither.txt'), 'holds no certificate'],
  ])('names a file %s', async (_what, cafile, message) => {
    const cloud = await tlsCloud();

    await expect(ask(sessionOf(cloud, { cafile }))).rejects.toThrow(message);
  });
});
