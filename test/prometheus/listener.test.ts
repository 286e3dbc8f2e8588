import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { get } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/config/load.ts';
import type { Content, PrometheusListener } from '../../src/prometheus/listener.ts';
import { listenerOpener } from '../../src/prometheus/open-listeners.ts';
import { fakeHost } from '../../src/testing.ts';
import { makePki } from '../helpers/pki.ts';
import { freePorts } from '../helpers/ports.ts';
import { describeWith } from '../helpers/services.ts';

const closers: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

const configOf = (polling: object) => loadConfig({ files: [], dirs: [], env: {}, overrides: { polling } }).config;

/** Opens listeners as an agent does for each of its configurations. */
function opener() {
  const host = fakeHost();
  const open = listenerOpener(host.log);
  return {
    lines: host.lines,
    async open(addresses: readonly string[], polling: object = {}) {
      const { value, release } = await open(configOf(polling), addresses, 'metrics_listen_addresses');
      let released = false;
      const once = async () => {
        if (!released) await release();
        released = true;
      };
      closers.push(once);
      return { listeners: value, release: once };
    },
  };
}

function only(listeners: readonly PrometheusListener[]): PrometheusListener {
  const [listener] = listeners;
  if (listener === undefined) throw new Error('no listener');
  return listener;
}

const urlOf = ({ address }: PrometheusListener, path: string) => `http://${address.host}:${address.port}${path}`;

function gauge(name: string, value: number): Content {
  return { families: () => [{ name, type: 'gauge', help: `${name}.`, measurements: [{ value }] }] };
}

describe('a listener for Prometheus', () => {
  it('joins the families of all contents, and serves the pages beside them', async () => {
    const listener = only((await opener().open(['127.0.0.1:0'])).listeners);
    const page = { status: 503, contentType: 'application/json', body: '{"healthy":false}' };
    listener.serve('one', { ...gauge('a', 1), pages: { '/health': () => page } });
    listener.serve('two', gauge('b', 2));

    const metrics = await fetch(urlOf(listener, '/metrics?x=y'));
    const health = await fetch(urlOf(listener, '/health'));

    expect(metrics.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(await metrics.text()).toBe('# HELP a a.\n# TYPE a gauge\na 1\n# HELP b b.\n# TYPE b gauge\nb 2\n');
    expect([health.status, await health.json()]).toEqual([503, { healthy: false }]);
  });

  it('serves the newest content of a name, and the one before when that ends first', async () => {
    const listener = only((await opener().open(['127.0.0.1:0'])).listeners);
    const shown = async () => (await (await fetch(urlOf(listener, '/metrics'))).text()).split('\n').at(-2);
    const endOld = listener.serve('agent', gauge('a', 1));
    const endNew = listener.serve('agent', gauge('a', 2));

    const both = await shown();
    endNew();
    const newEnded = await shown();
    endOld();
    const none = await shown();

    expect([both, newEnded, none]).toEqual(['a 2', 'a 1', undefined]);
  });

  it('is there for reading only, says what there is, and answers HEAD', async () => {
    const listener = only((await opener().open(['127.0.0.1:0'])).listeners);
    listener.serve('one', { pages: { '/health': () => ({ status: 200, contentType: 'text/plain', body: 'ok' }) } });

    const posted = await fetch(urlOf(listener, '/health'), { method: 'POST', body: 'x' });
    const missing = await fetch(urlOf(listener, '/'));
    const head = await fetch(urlOf(listener, '/health'), { method: 'HEAD' });

    expect(posted.status).toBe(405);
    expect([missing.status, await missing.text()]).toEqual([404, 'there is /metrics, /health\n']);
    expect([head.status, head.headers.get('content-length')]).toEqual([200, '2']);
  });

  it('answers 500 and logs why where a page cannot be made, and serves on', async () => {
    const { open, lines } = opener();
    const listener = only((await open(['127.0.0.1:0'])).listeners);
    listener.serve('one', {
      families: () => {
        throw new Error('no number');
      },
    });

    const failed = await fetch(urlOf(listener, '/metrics'));
    const after = await fetch(urlOf(listener, '/x'));

    expect([failed.status, after.status]).toEqual([500, 404]);
    expect(lines).toMatchObject([{ level: 'error', fields: { path: '/metrics' } }]);
  });

  it('is shared by those who name the same address, and gone after the last of them', async () => {
    const [port] = await freePorts(1);
    const { open } = opener();
    const first = await open([`127.0.0.1:${port}`]);
    const second = await open([`${port}`]);
    const listener = only(second.listeners);

    await first.release();
    const between = await fetch(urlOf(listener, '/metrics'));
    await second.release();

    expect(first.listeners).toEqual(second.listeners);
    expect(between.status).toBe(200);
    await expect(fetch(urlOf(listener, '/metrics'))).rejects.toThrow('fetch failed');
  });

  it('names option and address where it cannot listen, and lets go of the others', async () => {
    const [free, taken] = await freePorts(2);
    const one = opener();
    await one.open([`127.0.0.1:${taken}`]);
    const other = opener();

    await expect(other.open([`127.0.0.1:${free}`, `127.0.0.1:${taken}`])).rejects.toThrow(
      `[polling] metrics_listen_addresses: cannot listen on 127.0.0.1:${taken}: listen EADDRINUSE`,
    );

    await one.open([`127.0.0.1:${free}`]);
  });
});

describeWith('openssl', 'a listener with TLS', () => {
  let folder: string;

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'prometheus-'));
    await makePki(folder);
  });

  afterEach(() => rmSync(folder, { recursive: true }));

  const files = () => ({
    prometheusTlsEnable: true,
    prometheusTlsCertfile: join(folder, 'servercert.pem'),
    prometheusTlsKeyfile: join(folder, 'serverkey.pem'),
  });

  /** The serial number of the certificate that is shown, once it has been proven. */
  function serialOf({ address }: PrometheusListener): Promise<string> {
    return new Promise((resolve, reject) => {
      const ca = readFileSync(join(folder, 'cacert.pem'));
      const options = { host: address.host, port: address.port, path: '/metrics', ca, agent: false } as const;
      get(options, (response) => {
        resolve((response.socket as TLSSocket).getPeerCertificate().serialNumber);
        response.resume();
      }).on('error', reject);
    });
  }

  it('shows its certificate, and after a reload the renewed one on the same socket', async () => {
    const [port] = await freePorts(1);
    const { open } = opener();
    const first = only((await open([`127.0.0.1:${port}`], files())).listeners);

    const before = await serialOf(first);
    await makePki(folder);
    await open([`127.0.0.1:${port}`], files());
    const after = await serialOf(first);

    expect(before).toMatch(/^[0-9A-F]{8,}$/);
    expect(after).toMatch(/^[0-9A-F]{8,}$/);
    expect(after).not.toBe(before);
  });

  it('says which option is missing or wrong', async () => {
    const { open } = opener();

    await expect(open(['127.0.0.1:0'], { prometheusTlsEnable: true })).rejects.toThrow(
      '[polling] prometheus_tls_certfile is not set, but prometheus_tls_enable is',
    );
    await expect(open(['127.0.0.1:0'], { ...files(), prometheusTlsKeyfile: join(folder, 'none') })).rejects.toThrow(
      `[polling] prometheus_tls_keyfile: cannot read ${join(folder, 'none')}: ENOENT`,
    );
    await expect(
      open(['127.0.0.1:0'], { ...files(), prometheusTlsKeyfile: join(folder, 'clientkey.pem') }),
    ).rejects.toThrow('[polling] prometheus_tls_certfile, prometheus_tls_keyfile: no certificate and its key');
  });
});
