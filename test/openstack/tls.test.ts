import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { OpenStackSession } from '../../src/openstack/session.ts';
import { type FakeCloud, json } from '../helpers/fake-openstack.ts';
import { cloudWith, SERVERS, servers, sessionOf, signal } from './support.ts';

describe('TLS', () => {
  const file = (name: string) => new URL(`../fixtures/openstack/tls/${name}`, import.meta.url).pathname;
  const bytes = (name: string) => readFileSync(file(name));

  async function tlsCloud(options: { readonly clients?: boolean } = {}): Promise<FakeCloud> {
    const server = { cert: bytes('server.pem'), key: bytes('server.key'), ca: bytes('ca.pem') };
    return cloudWith({ [SERVERS]: json(servers) }, { ...server, requestCert: options.clients === true });
  }

  const ask = (session: OpenStackSession) => session.service('compute').get('/servers', { signal: signal() });

  it('trusts the authority of cafile', async () => {
    const cloud = await tlsCloud();

    expect(await ask(sessionOf(cloud, { cafile: file('ca.pem') }))).toEqual(servers);
  });

  it.each([
    ['without cafile', {}],
    ['with another authority', { cafile: file('client.pem') }],
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
    ['two files', { certfile: file('client.pem'), keyfile: file('client.key') }],
    ['one file', { certfile: file('client-both.pem') }],
  ])('shows the certificate of %s to who asks for one', async (_how, changes) => {
    const cloud = await tlsCloud({ clients: true });

    expect(await ask(sessionOf(cloud, { cafile: file('ca.pem'), ...changes }))).toEqual(servers);
  });

  it('is refused by who asks for a certificate when there is none', async () => {
    const cloud = await tlsCloud({ clients: true });

    await expect(ask(sessionOf(cloud, { cafile: file('ca.pem') }))).rejects.toMatchObject({ code: 'ERR_SERVICE' });
    expect(cloud.logins).toEqual([]);
  });

  it.each([
    ['that is not there', '/nonexistent/ca.pem', 'cannot read cafile /nonexistent/ca.pem'],
    ['that holds none', file('../../host/vm/stat'), 'holds no certificate'],
  ])('names a file %s', async (_what, cafile, message) => {
    const cloud = await tlsCloud();

    await expect(ask(sessionOf(cloud, { cafile }))).rejects.toThrow(message);
  });
});
