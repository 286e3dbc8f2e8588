/** Upstream's `barbican:<id of a secret>`: the credentials of an API outside of OpenStack, for a source to name. */
import type { Discovery } from '../../plugin.ts';

const PREFIX = 'barbican:';

/** Its resource is the secret by its id. Upstream's is what the secret holds, which then stands in logs. */
export function barbicanDiscovery(): Discovery {
  return {
    group: 'barbican',
    discover: async (secretId = '') => [{ id: `${PREFIX}${secretId}` }],
  };
}

/** The id of the secret that a resource is; undefined for any other one. */
export function secretIdOf(resource: string): string | undefined {
  return resource.startsWith(PREFIX) ? resource.slice(PREFIX.length) : undefined;
}
