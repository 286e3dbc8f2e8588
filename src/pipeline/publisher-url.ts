/** Publishers' URLs, taken apart as Python's `urlsplit` and `parse_qsl` do. */
import { ConfigError } from '../errors.ts';
import type { PublisherUrl } from '../plugin.ts';

/** A bare word such as `notifier` is a scheme. Throws {@link ConfigError}, whose message holds no password. */
export function parsePublisherUrl(text: string): PublisherUrl {
  const match = /^([a-z][a-z0-9+.-]*):\/\/([^/?#]*)([^?#]*)(?:\?([^#]*))?(?:#(.*))?$/is.exec(
    text.includes('://') ? text : `${text}://`,
  );
  if (match === null) throw new ConfigError(`'${redactPublisherUrl(text)}' is not the URL of a publisher`);
  const [, scheme = '', authority = '', path = '', query = '', fragment = ''] = match;
  return {
    shown: redactPublisherUrl(text),
    scheme: scheme.toLowerCase(),
    authority,
    path,
    fragment,
    options: [...new URLSearchParams(query)],
  };
}

export function redactPublisherUrl(text: string): string {
  return text.replace(
    /^([^/]*:\/\/)([^/?#]*)@/,
    (_, scheme: string, user: string) => `${scheme}${user.split(':')[0]}:***@`,
  );
}

export interface HostAndPort {
  readonly host: string;
  readonly port: number;
}

/** `host:port`, `[v6]:port`. Throws {@link ConfigError}. */
export function hostAndPort({ authority, shown }: PublisherUrl, defaultPort: number): HostAndPort {
  const match = /^(?:\[([^\]]+)\]|([^:[\]]+))(?::(\d{1,5}))?$/.exec(authority);
  const host = match?.[1] ?? match?.[2];
  const port = match?.[3] === undefined ? defaultPort : Number(match[3]);
  if (host === undefined) throw new ConfigError(`${shown}: expected HOST:PORT after ://`);
  if (port < 1 || port > 65_535) throw new ConfigError(`${shown}: the port has to be from 1 to 65535`);
  return { host, port };
}

/** Reads options one by one, and then tells which were not asked for. */
export class UrlOptions {
  readonly #url: PublisherUrl;
  readonly #known = new Set<string>();

  constructor(url: PublisherUrl) {
    this.#url = url;
  }

  /** The last value of an option, as upstream takes it; undefined where there is none. */
  text(name: string): string | undefined {
    this.#known.add(name);
    const value = this.#url.options.findLast(([key]) => key === name)?.[1];
    return value === '' ? undefined : value;
  }

  has(name: string): boolean {
    this.#known.add(name);
    return this.#url.options.some(([key]) => key === name);
  }

  integer(name: string, otherwise: number, least = 0): number {
    const text = this.text(name);
    if (text === undefined) return otherwise;
    const value = /^\s*[-+]?\d+\s*$/.test(text) ? Number(text) : Number.NaN;
    if (!(value >= least)) this.#wrong(name, `an integer from ${least} on`, text);
    return value;
  }

  boolean(name: string, otherwise: boolean): boolean {
    const text = this.text(name);
    if (text === undefined) return otherwise;
    const word = text.trim().toLowerCase();
    if (['1', 't', 'true', 'on', 'y', 'yes'].includes(word)) return true;
    if (!['0', 'f', 'false', 'off', 'n', 'no'].includes(word)) this.#wrong(name, 'true or false', text);
    return false;
  }

  choice<T extends string>(name: string, choices: readonly T[], otherwise: T): T {
    const text = this.text(name);
    if (text === undefined) return otherwise;
    const found = choices.find((choice) => choice === text);
    if (found === undefined) this.#wrong(name, choices.join(', '), text);
    return found;
  }

  /** Whether an option is one of those that were asked for. */
  asked(name: string): boolean {
    return this.#known.has(name);
  }

  /** Throws {@link ConfigError} for the first option that nobody asked for. */
  refuseOthers(): void {
    const other = this.#url.options.find(([name]) => !this.#known.has(name))?.[0];
    if (other === undefined) return;
    throw new ConfigError(`${this.#url.shown}: unknown option ${other} (known: ${[...this.#known].join(', ')})`);
  }

  #wrong(name: string, expected: string, got: string): never {
    throw new ConfigError(`${this.#url.shown}: option ${name}: expected ${expected}, got "${got}"`);
  }
}
