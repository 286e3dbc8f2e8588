import { isIP } from 'node:net';
import { ConfigError } from '../errors.ts';

export interface ListenAddress {
  readonly host: string;
  /** 0 is any that is free. */
  readonly port: number;
}

/**
 * Reads `127.0.0.1:9101`, `[::1]:9101`, `localhost:9101`, or a port alone, which is one of the loopback interface.
 * `option` names the option in the {@link ConfigError} for anything else.
 */
export function parseListenAddress(text: string, option: string): ListenAddress {
  const [, bracketed, plain, digits = ''] = /^(?:(?:\[([^\]]*)\]|([^[\]:]*)):)?(\d{1,5})$/.exec(text.trim()) ?? [];
  const host = bracketed ?? plain ?? '127.0.0.1';
  const port = Number(digits);
  if (digits === '' || port > 65_535 || host === '' || (bracketed !== undefined && isIP(bracketed) !== 6)) {
    throw new ConfigError(
      `${option}: expected an address as 127.0.0.1:9101, [::1]:9101 or 9101, got ${JSON.stringify(text)}`,
    );
  }
  return { host, port };
}

export function addressText({ host, port }: ListenAddress): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
