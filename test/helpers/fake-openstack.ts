/** A cloud on a free port of this machine: Keystone, and whatever services a test adds, with the faults it asks for. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer, type ServerOptions } from 'node:https';
import type { AddressInfo } from 'node:net';

interface Asked {
  readonly method: string;
  /** With the query. */
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

export type Answer = (asked: Asked, response: ServerResponse) => void | Promise<void>;

export interface FakeCloud {
  readonly url: string;
  /** All but the logins, in order. */
  readonly asked: Asked[];
  readonly logins: Asked[];
  /** Seconds that tokens live. */
  tokenLife: number;
  /** Tokens that services still take; all that were granted unless a test says otherwise. */
  readonly valid: Set<string>;
  /** Services of the catalogue besides Keystone: type and path, or URL. */
  catalogue: readonly {
    readonly type: string;
    readonly url: string;
    readonly region?: string;
    readonly face?: string;
  }[];
  /** What answers a path, without its query; the rest is answered 404. */
  readonly routes: Map<string, Answer>;
  /** Paths that take no token. */
  readonly tokenless: Set<string>;
  /** Takes the place of the login. */
  login: Answer | undefined;
  close(): Promise<void>;
}

export function json(value: unknown, status = 200, headers: Record<string, string> = {}): Answer {
  return (_asked, response) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers });
    response.end(typeof value === 'string' ? value : JSON.stringify(value));
  };
}

/** Answers in turn; the last one again and again. */
export function inTurn(...answers: readonly Answer[]): Answer {
  let turn = 0;
  return (asked, response) => {
    const answer = answers[Math.min(turn, answers.length - 1)];
    turn += 1;
    return answer?.(asked, response);
  };
}

export async function startFakeCloud(tls?: ServerOptions): Promise<FakeCloud> {
  let granted = 0;
  const server: Server = tls === undefined ? createServer(handle) : createTlsServer(tls, handle);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const cloud: FakeCloud = {
    url,
    asked: [],
    logins: [],
    tokenLife: 3600,
    valid: new Set(),
    catalogue: [{ type: 'compute', url: '/compute/v2.1' }],
    routes: new Map(),
    tokenless: new Set(),
    login: undefined,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };

  function handle(request: IncomingMessage, response: ServerResponse): void {
    let body = '';
    request.setEncoding('utf8').on('data', (text: string) => {
      body += text;
    });
    request.on('end', () => {
      const { method = '', url: path = '', headers } = request;
      void route({ method, path, headers, body }, response);
    });
  }

  async function route(asked: Asked, response: ServerResponse): Promise<void> {
    if (asked.path === '/v3/auth/tokens') {
      cloud.logins.push(asked);
      return (cloud.login ?? grant)(asked, response);
    }
    cloud.asked.push(asked);
    const token = String(asked.headers['x-auth-token']);
    if (!cloud.valid.has(token) && !cloud.tokenless.has(asked.path.replace(/\?.*/, '')))
      return json({ error: { code: 401, message: `bad token ${token}` } }, 401)(asked, response);
    const answer = cloud.routes.get(asked.path.replace(/\?.*/, ''));
    return (answer ?? json({ itemNotFound: { code: 404, message: 'there is no such thing' } }, 404))(asked, response);
  }

  function grant(asked: Asked, response: ServerResponse): void | Promise<void> {
    granted += 1;
    const token = `token-${granted}`;
    cloud.valid.add(token);
    const now = Date.now();
    const catalog = cloud.catalogue.map(({ type, url: at, region = 'RegionOne', face = 'public' }) => ({
      type,
      name: type,
      endpoints: [
        { id: type, interface: face, region, region_id: region, url: at.startsWith('/') ? `${url}${at}` : at },
      ],
    }));
    const answer = {
      token: {
        issued_at: new Date(now).toISOString(),
        expires_at: new Date(now + cloud.tokenLife * 1000).toISOString(),
        project: { id: 'project-1', name: 'service', domain: { id: 'default', name: 'Default' } },
        user: { id: 'user-1', name: 'ceilometer', domain: { id: 'default', name: 'Default' } },
        catalog,
      },
    };
    return json(answer, 201, { 'x-subject-token': token })(asked, response);
  }

  return cloud;
}

/** What `[service_credentials]` has to say to log in there. */
export function credentialsFor(cloud: { readonly url: string }) {
  return {
    authType: 'password',
    authUrl: cloud.url,
    username: 'ceilometer',
    password: 'very secret',
    userDomainName: 'Default',
    projectName: 'service',
    projectDomainName: 'Default',
  };
}
