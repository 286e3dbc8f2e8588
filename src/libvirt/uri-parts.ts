/** What a libvirt URI is taken apart into, and what becomes of it. */
import { ConfigError } from '../errors.ts';

/** What a transport is made of. */
export interface UriParts {
  readonly text: string;
  readonly driver: string;
  readonly host: string;
  readonly port: number | undefined;
  readonly user: string;
  /** The path of the URI, `/system` or `/session`. */
  readonly path: string;
  readonly name: string;
  readonly params: ReadonlyMap<string, string>;
}

export type Transport =
  /** The first of the sockets that can be connected to. */
  | { readonly kind: 'unix'; readonly sockets: readonly string[] }
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  | {
      readonly kind: 'tls';
      readonly host: string;
      readonly port: number;
      readonly verify: boolean;
      /** Folders to look for the certificates in, first come first served. */
      readonly pki: readonly PkiFiles[];
    }
  | { readonly kind: 'ssh'; readonly command: string; readonly args: readonly string[] };

export interface PkiFiles {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

export function flag(parts: UriParts, name: string): boolean {
  const value = parts.params.get(name);
  if (value === undefined || value === '0') return false;
  if (value === '1') return true;
  throw new ConfigError(`parameter ${name} is 0 or 1 in libvirt URI ${parts.text}`);
}
