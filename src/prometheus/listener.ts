/** The small web server that monitoring asks: metric families at `/metrics`, and pages beside it. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { Server as TlsServer } from 'node:tls';
import { ConfigError, describeError } from '../errors.ts';
import type { Logger } from '../plugin.ts';
import { addressText, type ListenAddress } from './address.ts';
import { CONTENT_TYPE, exposition, type Family } from './exposition.ts';

export interface Page {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

/** What is served, for as long as the agent wants it so. */
export interface Content {
  /** Called at each scrape; the families of several contents are one text. Names must not meet. */
  readonly families?: () => Iterable<Family>;
  /** By path, called at each request: `/health`. */
  readonly pages?: Readonly<Record<string, () => Page>>;
}

export interface PrometheusListener {
  /** Where it listens, the port that was chosen for 0 included. */
  readonly address: ListenAddress;
  /**
   * Serves the content under a name until the function that it returns is called. The newest of one name is served, so
   * that what takes over begins before what it follows ends.
   */
  serve(name: string, content: Content): () => void;
  /** Shows this certificate from now on; for a listener with TLS. Throws {@link ConfigError} where it is of no use. */
  renew(certificate: Certificate): void;
  /** Ends at once what is under way. */
  close(): Promise<void>;
}

/** As PEM. */
export interface Certificate {
  readonly cert: Buffer;
  readonly key: Buffer;
}

export interface ListenerOptions {
  readonly address: ListenAddress;
  /** Left out, it is plain HTTP. */
  readonly tls?: Certificate;
  /** The option that named the address, for errors. */
  readonly option: string;
  readonly log: Logger;
}

/** Milliseconds that a client has to ask. */
const PATIENCE = 10_000;
/** Nobody has to wait for us, and nobody may fill our memory with sockets. */
const CONNECTIONS_MAX = 64;

/** Throws {@link ConfigError} where the address cannot be had. */
export async function openListener({ address, tls, option, log }: ListenerOptions): Promise<PrometheusListener> {
  const contents = new Map<string, Content[]>();
  const newest = () => [...contents.values()].flatMap((those) => those.at(-1) ?? []);

  function* families(): Generator<Family> {
    for (const content of newest()) if (content.families !== undefined) yield* content.families();
  }

  function pageFor(path: string): (() => Page) | undefined {
    if (path === '/metrics') {
      return () => ({ status: 200, contentType: CONTENT_TYPE, body: [...exposition(families())].join('') });
    }
    return newest()
      .map(({ pages }) => pages?.[path])
      .find((page) => page !== undefined);
  }

  function answer(request: IncomingMessage, response: ServerResponse): void {
    const { status, contentType, body } = pageOf(request);
    response.writeHead(status, { 'content-type': contentType, 'content-length': Buffer.byteLength(body) });
    response.end(request.method === 'HEAD' ? undefined : body);
  }

  function pageOf({ method, url = '/' }: IncomingMessage): Page {
    if (method !== 'GET' && method !== 'HEAD') return plain(405, 'this is to be read only: GET or HEAD\n');
    const [path = '/'] = url.split('?');
    const page = pageFor(path);
    if (page === undefined) {
      const paths = ['/metrics', ...newest().flatMap(({ pages = {} }) => Object.keys(pages))];
      return plain(404, `there is ${paths.join(', ')}\n`);
    }
    try {
      return page();
    } catch (err) {
      log.error({ path, err }, 'a page for monitoring cannot be made');
      return plain(500, 'see the log of the agent\n');
    }
  }

  const server = tls === undefined ? createServer(answer) : usable(() => createTlsServer({ ...tls }, answer));
  server.maxConnections = CONNECTIONS_MAX;
  server.requestTimeout = PATIENCE;
  server.headersTimeout = PATIENCE;
  await listening(server, address, option);
  // Those who go away in the midst of an answer are no fault of ours.
  server.on('error', (err) => log.error({ err }, 'the listener for monitoring failed'));
  const { port } = server.address() as AddressInfo;
  return {
    address: { host: address.host, port },
    serve(name, content) {
      contents.set(name, [...(contents.get(name) ?? []), content]);
      return () => {
        const left = (contents.get(name) ?? []).filter((one) => one !== content);
        if (left.length === 0) contents.delete(name);
        else contents.set(name, left);
      };
    },
    renew(certificate) {
      if (server instanceof TlsServer) usable(() => server.setSecureContext({ ...certificate }));
    },
    close() {
      return new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      });
    },
  };
}

function listening(server: Server, address: ListenAddress, option: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (err: Error) => {
      reject(
        new ConfigError(`${option}: cannot listen on ${addressText(address)}: ${describeError(err)}`, { cause: err }),
      );
    };
    server.once('error', fail);
    server.listen({ host: address.host, port: address.port, exclusive: true }, () => {
      server.off('error', fail);
      resolve();
    });
  });
}

function usable<T>(withCertificate: () => T): T {
  try {
    return withCertificate();
  } catch (cause) {
    throw new ConfigError('[polling] prometheus_tls_certfile, prometheus_tls_keyfile: no certificate and its key', {
      cause,
    });
  }
}

function plain(status: number, body: string): Page {
  return { status, contentType: 'text/plain; charset=utf-8', body };
}
