/** The listeners of a process: one for each address, whoever has something to serve there. */
import { readFileSync } from 'node:fs';
import type { Config } from '../config/options.ts';
import { ConfigError, describeError } from '../errors.ts';
import type { Logger } from '../plugin.ts';
import { createLeases, type Lease } from '../util/leases.ts';
import { addressText, parseListenAddress } from './address.ts';
import type { Certificate, PrometheusListener } from './listener.ts';

/** `option` is the one of `[polling]` that names the addresses, for errors. */
export type OpenListeners = (config: Config, addresses: readonly string[], option: string) => Promise<Lease<Listeners>>;

type Listeners = readonly PrometheusListener[];

/**
 * Opens listeners for one configuration after another; those of one address are shared, so that several may serve there
 * and a reload keeps the socket. The certificate is read anew each time.
 */
export function listenerOpener(log: Logger): OpenListeners {
  const lease = createLeases<Promise<PrometheusListener>>(async (listener) => (await listener).close());

  return async (config, texts, option) => {
    const where = `[polling] ${option}`;
    const addresses = texts.map((text) => parseListenAddress(text, where));
    const tls = readTls(config);
    const leases = addresses.map((address) =>
      lease(`${addressText(address)} ${tls !== undefined}`, async () => {
        // Node's web server takes memory that most agents do not need.
        const { openListener } = await import('./listener.ts');
        return openListener({ address, option: where, log, ...(tls && { tls }) });
      }),
    );
    const release = async () => {
      await Promise.allSettled(leases.map((one) => one.release()));
    };
    try {
      const listeners = await Promise.all(leases.map(({ value }) => value));
      if (tls !== undefined) for (const listener of listeners) listener.renew(tls);
      return { value: listeners, release };
    } catch (err) {
      await release();
      throw err;
    }
  };
}

function readTls({ polling }: Config): Certificate | undefined {
  if (!polling.prometheusTlsEnable) return undefined;
  return {
    cert: readPem('prometheus_tls_certfile', polling.prometheusTlsCertfile),
    key: readPem('prometheus_tls_keyfile', polling.prometheusTlsKeyfile),
  };
}

function readPem(option: string, path: string | undefined): Buffer {
  if (path === undefined) throw new ConfigError(`[polling] ${option} is not set, but prometheus_tls_enable is`);
  try {
    return readFileSync(path);
  } catch (cause) {
    throw new ConfigError(`[polling] ${option}: cannot read ${path}: ${describeError(cause)}`, { cause });
  }
}
