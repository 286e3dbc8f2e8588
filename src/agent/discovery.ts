import { codeOf, describeError, ServiceError } from '../errors.ts';
import type { PollContext, Resource } from '../plugin.ts';
import type { LoadedDiscovery } from './registry.ts';

/** Whether this agent polls what a discovery of the group found. */
type IsOurs = (group: string | null, resource: Resource) => boolean;

/**
 * Resolves the discoveries of a source or pollster, `name` or `name://parameter`. Within a cycle each is asked once,
 * whoever needs it, and its failure is shared like its result.
 */
export interface Discoverer {
  /** The discovery that a URL means to pollsters of this namespace. */
  find(url: string, namespace: string): LoadedDiscovery | undefined;
  /** Those of which `isOurs` holds; all where it is left out. It does not change within a cycle. */
  discover(url: string, namespace: string, ctx: PollContext, isOurs?: IsOurs): Promise<readonly Resource[]>;
}

export function createDiscoverer(discoveries: readonly LoadedDiscovery[]): Discoverer {
  function find(url: string, namespace: string): LoadedDiscovery | undefined {
    const { name } = partsOf(url);
    const named = discoveries.filter((one) => one.name === name);
    return named.find((one) => one.namespace === namespace) ?? named[0];
  }

  return {
    find,
    async discover(url, namespace, ctx, isOurs) {
      const { name, parameter } = partsOf(url);
      const found = find(url, namespace);
      if (found === undefined) throw new ServiceError(`discovery ${name} is not known in the polled namespaces`);
      const all = ctx.cache.get(`discovery ${found.namespace} ${url}`, async () => {
        try {
          return checked(await found.discovery.discover(parameter, ctx));
        } catch (err) {
          if (ctx.signal.aborted) throw err;
          const message = `discovery ${url} failed: ${describeError(err)}`;
          // Without a code it is a bug, whose stack is wanted.
          throw codeOf(err) === undefined
            ? new Error(message, { cause: err })
            : new ServiceError(message, { cause: err });
        }
      });
      if (isOurs === undefined) return all;
      return ctx.cache.get(`share of discovery ${found.namespace} ${url}`, async () =>
        (await all).filter((resource) => isOurs(found.discovery.group, resource)),
      );
    },
  };
}

function partsOf(url: string): { readonly name: string; readonly parameter: string | undefined } {
  const [name = '', ...rest] = url.split('://');
  return { name, parameter: rest.length > 0 ? rest.join('://') : undefined };
}

function checked(resources: readonly Resource[]): readonly Resource[] {
  if (!Array.isArray(resources)) throw new ServiceError('expected a list of resources');
  const bad = resources.find((one) => typeof one?.id !== 'string' || one.id === '');
  if (bad !== undefined) throw new ServiceError('expected every resource to have an id that is not empty');
  return resources;
}
