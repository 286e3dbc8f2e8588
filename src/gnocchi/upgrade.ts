/** Makes a Gnocchi ready for what the publisher sends: types of resources that are missing, and attributes of these. */
import { ServiceError } from '../errors.ts';
import type { HttpResponse } from '../openstack/http.ts';
import type { Logger } from '../plugin.ts';
import { getKey } from '../python/value.ts';
import { isObject, type JsonObject } from '../wire/value.ts';
import { type GnocchiApi, parsedOf } from './api.ts';
import { type AttributeTypes, resourceTypes } from './resource-types.ts';
import { said } from './resources.ts';

export interface Upgraded {
  readonly created: readonly string[];
  /** With the attributes that were added. */
  readonly extended: readonly string[];
}

/** The oldest Gnocchi that is known to be enough. */
const REQUIRED = [4, 2] as const;

/** May be repeated: what is there is left alone. Rejects when Gnocchi is away, too old, or refuses a change. */
export async function upgradeResourceTypes(api: GnocchiApi, log: Logger, signal: AbortSignal): Promise<Upgraded> {
  await requireVersion(api, signal);
  const created: string[] = [];
  const extended: string[] = [];
  for (const [name, attributes] of Object.entries(resourceTypes)) {
    const path = `/v1/resource_type/${name}`;
    const answer = await api.request('GET', path, { signal });
    if (answer.status === 404) {
      const response = await create(api, name, attributes, signal);
      // Another one may have been faster.
      if (response.status !== 409) created.push(taken(`resource type ${name}`, response, name));
      continue;
    }
    const present = attributesOf(taken(`resource type ${name}`, answer, answer.text));
    const missing = Object.keys(attributes).filter((key) => getKey(present, key) === undefined);
    if (missing.length > 0) {
      const response = await add(api, path, attributes, missing, signal);
      extended.push(taken(`resource type ${name}`, response, `${name} (${missing.join(', ')})`));
    }
    for (const [key, { required }] of Object.entries(attributes)) {
      if (required || getKey(getKey(present, key) ?? null, 'required') !== true) continue;
      // Gnocchi cannot change that: it accepts such a request, and leaves the attribute as it is.
      log.warn(
        { resource_type: name, attribute: key },
        'an attribute stays mandatory: resources without it are refused',
      );
    }
  }
  return { created, extended };
}

async function requireVersion(api: GnocchiApi, signal: AbortSignal): Promise<void> {
  const { text } = await api.request('GET', '/', { signal });
  const build = getKey(parsedOf(text), 'build');
  const [major = 0, minor = 0] = typeof build === 'string' ? build.split('.').map(Number) : [];
  if (major === REQUIRED[0] && minor >= REQUIRED[1]) return;
  throw new ServiceError(`expected a Gnocchi 4 from ${REQUIRED.join('.')} on, got ${String(build ?? 'none')}`);
}

function create(api: GnocchiApi, name: string, attributes: AttributeTypes, signal: AbortSignal): Promise<HttpResponse> {
  return api.request('POST', '/v1/resource_type/', { body: JSON.stringify({ name, attributes }), signal });
}

function add(
  api: GnocchiApi,
  path: string,
  attributes: AttributeTypes,
  missing: readonly string[],
  signal: AbortSignal,
): Promise<HttpResponse> {
  const operations = missing.map((key) => {
    // Resources that are there already have no value of it.
    const filled = attributes[key]?.required === true ? { ...attributes[key], options: { fill: '' } } : attributes[key];
    return { op: 'add', path: `/attributes/${key}`, value: filled };
  });
  const body = JSON.stringify(operations);
  return api.request('PATCH', path, { body, contentType: 'application/json-patch+json', signal });
}

function taken<T>(what: string, response: HttpResponse, value: T): T {
  if (response.status >= 200 && response.status < 300) return value;
  throw new ServiceError(`${what}: Gnocchi answered ${said(response)}`);
}

function attributesOf(text: string): JsonObject {
  const attributes = getKey(parsedOf(text), 'attributes');
  return attributes !== undefined && isObject(attributes) ? attributes : {};
}
