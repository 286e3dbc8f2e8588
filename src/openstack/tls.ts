/** How services prove who they are, and the agent to them: `cafile`, `certfile`, `keyfile` and `insecure`. */
import { existsSync, readFileSync } from 'node:fs';
import { createSecureContext, type SecureContext } from 'node:tls';
import { ServiceError } from '../errors.ts';

type TlsVersion = '1.2' | '1.3';

export interface TlsSettings {
  /** Undefined takes the authorities that this machine trusts. */
  readonly cafile?: string | undefined;
  readonly certfile?: string | undefined;
  /** Undefined when the file of the certificate holds the key, too. */
  readonly keyfile?: string | undefined;
  readonly insecure: boolean;
  /** `1.2` or `1.3`. */
  readonly minVersion?: TlsVersion | undefined;
  readonly maxVersion?: TlsVersion | undefined;
}

/** Where distributions keep what they trust. Node has a list of its own, which an operator's authority is not in. */
const SYSTEM_BUNDLES = [
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/ssl/ca-bundle.pem',
];

/** Reads the files: made once for all connections, since reading a bundle takes long. */
export function secureContext(settings: TlsSettings): SecureContext {
  const bundle = settings.cafile ?? SYSTEM_BUNDLES.find((path) => existsSync(path));
  const cert = settings.certfile && read(settings.certfile, 'certfile');
  const key = settings.keyfile ? read(settings.keyfile, 'keyfile') : cert;
  const ca = bundle && !settings.insecure ? read(bundle, 'cafile') : undefined;
  // Node would go on with its own list.
  if (ca && !ca.includes('-BEGIN ')) throw new ServiceError(`cafile ${bundle} holds no certificate`);
  try {
    return createSecureContext({
      ...(ca && { ca }),
      ...(cert && { cert }),
      ...(key && { key }),
      ...(settings.minVersion && { minVersion: `TLSv${settings.minVersion}` as const }),
      ...(settings.maxVersion && { maxVersion: `TLSv${settings.maxVersion}` as const }),
    });
  } catch (cause) {
    const files = [settings.cafile, settings.certfile, settings.keyfile].filter((file) => file !== undefined);
    throw new ServiceError(`cannot use the certificates of ${files.join(', ')}`, { cause });
  }
}

function read(path: string, option: string): Buffer {
  try {
    return readFileSync(path);
  } catch (cause) {
    throw new ServiceError(`cannot read ${option} ${path}`, { cause });
  }
}
