/** Makes things in a real cloud, as its users do. Nothing of the agent's own client is in it. */
import { PASSWORD } from './keystone.ts';

/** Answers of many shapes, of which a test knows the one that it asked for. */
// biome-ignore lint/suspicious/noExplicitAny: a schema for each answer would say nothing that the test does not.
type Json = any;

export interface ApiClient {
  readonly keystone: string;
  readonly password: string;
  readonly projectId: string;
  readonly userId: string;
  get(url: string): Promise<Json>;
  post(url: string, body: object, headers?: Readonly<Record<string, string>>): Promise<Json>;
  /** The body as it is, or none. */
  put(url: string, body?: string, headers?: Readonly<Record<string, string>>): Promise<Json>;
}

export async function logIn(keystone: string, user: string, project: string): Promise<ApiClient> {
  const domain = { id: 'default' };
  const identity = { methods: ['password'], password: { user: { name: user, domain, password: PASSWORD } } };
  const login = { auth: { identity, scope: { project: { name: project, domain } } } };
  const response = await fetch(`${keystone}/v3/auth/tokens`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(login),
  });
  const { token }: Json = await response.json();
  const secret = response.headers.get('x-subject-token');
  if (secret === null) throw new Error(`${user} cannot log in: ${response.status}`);

  async function send(method: string, url: string, body?: string, headers = {}): Promise<Json> {
    const answer = await fetch(url, {
      method,
      headers: { 'x-auth-token': secret ?? '', ...headers },
      ...(body !== undefined && { body }),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${url}: ${answer.status} ${text.slice(0, 500)}`);
    return text.startsWith('{') || text.startsWith('[') ? JSON.parse(text) : text;
  }

  return {
    keystone,
    password: PASSWORD,
    projectId: token.project.id,
    userId: token.user.id,
    get: (url) => send('GET', url),
    post: (url, body, headers) =>
      send('POST', url, JSON.stringify(body), { 'content-type': 'application/json', ...headers }),
    put: (url, body, headers) => send('PUT', url, body, headers),
  };
}
