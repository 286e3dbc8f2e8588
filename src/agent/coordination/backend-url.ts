/** `[coordination] backend_url`, in tooz's dialect. */
import { ConfigError } from '../../errors.ts';

export interface BackendUrl {
  readonly scheme: string;
  /** Empty where none is given. */
  readonly host: string;
  readonly port: number | undefined;
  readonly user: string;
  readonly password: string;
  readonly path: string;
  /** Of an option that is said more than once the last one counts. */
  readonly options: ReadonlyMap<string, readonly string[]>;
  /** Without user, password and options. */
  readonly shown: string;
}

const FORM = /^([a-z][a-z0-9+]*):\/\/(?:([^/?#@]*)@)?(\[[^\]/?#]*\]|[^/?#:@]*)(?::(\d*))?(\/[^?#]*)?(?:\?([^#]*))?$/i;

/** Throws {@link ConfigError}, which never repeats a password. */
export function parseBackendUrl(url: string): BackendUrl {
  const parts = FORM.exec(url);
  if (parts === null) throw wrong('expected scheme://host:port?option=value');
  const [, scheme = '', credentials = '', host = '', port = '', path = '', query = ''] = parts;
  const number = port === '' ? undefined : Number(port);
  if (number !== undefined && (number < 1 || number > 65_535)) throw wrong(`port ${port} is not from 1 to 65535`);
  const [user = '', ...password] = credentials.split(':');
  const options = new Map<string, string[]>();
  for (const [name, value] of new URLSearchParams(query)) {
    // As Python's parse_qs, an option without a value is none.
    if (value !== '') options.set(name, [...(options.get(name) ?? []), value]);
  }
  const address = `${host}${number === undefined ? '' : `:${number}`}`;
  return {
    scheme: scheme.toLowerCase(),
    host: host.replace(/^\[|\]$/g, ''),
    port: number,
    user: decoded(user),
    password: decoded(password.join(':')),
    path,
    options,
    shown: `${scheme}://${address}${path}`,
  };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw wrong('a % in user and password has to be written %25');
  }
}

/** A {@link ConfigError} about this option. */
export function wrong(what: string): ConfigError {
  return new ConfigError(`[coordination] backend_url: ${what}`);
}

/** Reads the options of a URL, and knows which ones there are. */
export class UrlOptions {
  readonly #url: BackendUrl;

  /** Throws {@link ConfigError} for an option that is not known; `ignored` ones are tooz's without meaning here. */
  constructor(url: BackendUrl, known: readonly string[], ignored: readonly string[] = []) {
    this.#url = url;
    for (const name of url.options.keys()) {
      if (known.includes(name) || ignored.includes(name)) continue;
      throw wrong(`${url.scheme} has no option ${name} (known: ${[...known].sort().join(', ')})`);
    }
  }

  all(name: string): readonly string[] {
    return this.#url.options.get(name) ?? [];
  }

  text(name: string): string | undefined {
    return this.all(name).at(-1);
  }

  /** Milliseconds of an option in seconds: of the first of these names that is set. */
  milliseconds(names: readonly string[], otherwise: number): number {
    const name = names.find((one) => this.text(one) !== undefined);
    const text = name === undefined ? undefined : this.text(name);
    if (text === undefined) return otherwise;
    const seconds = Number(text);
    if (!(seconds >= 0.1 && seconds <= 86_400))
      throw wrong(`expected ${name} to be from 0.1 to 86400 seconds, got ${text}`);
    return seconds * 1000;
  }

  integer(name: string, otherwise: number): number {
    const text = this.text(name);
    if (text === undefined) return otherwise;
    if (!/^\d{1,9}$/.test(text)) throw wrong(`expected ${name} to be a whole number, got ${text}`);
    return Number(text);
  }

  /** The words of oslo.utils; anything else is false there. */
  flag(name: string): boolean {
    const text = this.text(name)?.trim().toLowerCase() ?? 'false';
    if (['1', 't', 'true', 'on', 'y', 'yes'].includes(text)) return true;
    if (['0', 'f', 'false', 'off', 'n', 'no'].includes(text)) return false;
    throw wrong(`expected ${name} to be true or false, got ${text}`);
  }
}
