import { execFile, spawnSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

export function hasOpenssl(): boolean {
  return spawnSync('openssl', ['version']).status === 0;
}

/**
 * A CA and certificates of it for a server on localhost and for a client, under the names that libvirt gives them:
 * cacert.pem, servercert.pem, serverkey.pem, clientcert.pem, clientkey.pem.
 */
export async function makePki(folder: string): Promise<void> {
  const path = (name: string) => join(folder, name);
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const ca = [
    'req',
    '-x509',
    ...newKey,
    '-keyout',
    path('cakey.pem'),
    '-out',
    path('cacert.pem'),
    '-subj',
    '/CN=test CA',
  ];
  await run('openssl', [...ca, '-days', '30']);
  for (const role of ['server', 'client']) {
    const key = path(`${role}key.pem`);
    const request = path(`${role}.csr`);
    const extensions = path(`${role}.ext`);
    await writeFile(
      extensions,
      role === 'server' ? 'subjectAltName=DNS:localhost,IP:127.0.0.1\n' : 'extendedKeyUsage=clientAuth\n',
    );
    await run('openssl', ['req', ...newKey, '-keyout', key, '-out', request, '-subj', `/CN=${role}`]);
    const signer = ['-CA', path('cacert.pem'), '-CAkey', path('cakey.pem'), '-CAcreateserial'];
    const output = ['-out', path(`${role}cert.pem`), '-days', '30', '-extfile', extensions];
    await run('openssl', ['x509', '-req', '-in', request, ...signer, ...output]);
  }
}
