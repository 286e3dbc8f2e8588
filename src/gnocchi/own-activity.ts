/** Leaves out what Gnocchi itself does in OpenStack: measuring it would cause more of it. */
import type { NotificationSample } from '../notification.ts';
import type { OpenStackService } from '../openstack/service.ts';
import type { Logger } from '../plugin.ts';
import { isList, isObject, type JsonObject } from '../wire/value.ts';

export interface OwnActivity {
  /** Asks Keystone for the project at the first call. Rejects when Keystone does not answer. */
  without(samples: readonly NotificationSample[], signal: AbortSignal): Promise<readonly NotificationSample[]>;
}

export interface OwnActivityOptions {
  readonly identity: OpenStackService;
  readonly project: string;
  readonly domain: string;
  readonly typeOf: (meter: string) => string | undefined;
  readonly log: Logger;
}

export function createOwnActivity({ identity, project, domain, typeOf, log }: OwnActivityOptions): OwnActivity {
  let known: { readonly projectId: string | undefined } | undefined;

  async function lookUp(signal: AbortSignal): Promise<string | undefined> {
    const [domainId] = await idsOf(identity, 'domains', { name: domain }, signal);
    const [projectId] =
      domainId === undefined ? [] : await idsOf(identity, 'projects', { name: project, domain_id: domainId }, signal);
    if (projectId === undefined)
      log.warn({ project, domain }, 'the project of Gnocchi does not exist, nothing is filtered');
    return projectId;
  }

  return {
    async without(samples, signal) {
      known ??= { projectId: await lookUp(signal) };
      const { projectId } = known;
      if (projectId === undefined) return samples;
      const isOwn = ({ name, projectId: of, resourceId }: NotificationSample) =>
        of === projectId || (resourceId === projectId && typeOf(name) === 'swift_account');
      return samples.filter((sample) => !isOwn(sample));
    },
  };
}

async function idsOf(
  identity: OpenStackService,
  collection: 'domains' | 'projects',
  query: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const found = (await identity.get(`/${collection}`, { query, signal }))[collection];
  if (found === undefined || !isList(found)) return [];
  return found
    .filter((one): one is JsonObject => isObject(one))
    .flatMap(({ id }) => (typeof id === 'string' ? [id] : []));
}
