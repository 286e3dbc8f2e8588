import { codeOf, describeError, ServiceError } from '../errors.ts';
import type { PollContext, Resource } from '../plugin.ts';
import type { LoadedDiscovery } from './registry.ts';

/**
 * Resolves the discoveries of a source or pollster, `name`, `name:parameter` or `name://parameter`. Within a cycle each is asked once,
 * whoever needs it, and its failure is shared like its result.
 */
export interface Discoverer {
  /** The discovery that a URL means to pollsters of this namespace. */
  find(url: string, namespace: string): LoadedDiscovery | undefined;
  discover(url: string, namespace: string, ctx: PollContext): Promise<readonly Resource[]>;
  /** The same, a page at a time where the discovery can, for one who does not share it: nothing of it is kept. */
  pages(url: string, namespace: string, ctx: PollContext): AsyncIterable<readonly Resource[]>;
}

export function createDiscoverer(discoveries: readonly LoadedDiscovery[]): Discoverer {
  function find(url: string, namespace: string): LoadedDiscovery | undefined {
    const { name } = partsOf(url);
    const named = discoveries.filter((one) => one.name === name);
    return named.find((one) => one.namespace === namespace) ?? named[0];
  }

  function known(url: string, namespace: string): LoadedDiscovery {
    const found = find(url, namespace);
    if (found === undefined)
      throw new ServiceError(`discovery ${partsOf(url).name} is not known in the polled namespaces`);
    return found;
  }

  async function discover(url: string, namespace: string, ctx: PollContext): Promise<readonly Resource[]> {
    const { namespace: of, discovery } = known(url, namespace);
    return ctx.cache.get(`discovery ${of} ${url}`, async () => {
      try {
        return checked(await discovery.discover(partsOf(url).parameter, ctx));
      } catch (err) {
        throw failure(url, err, ctx);
      }
    });
  }

  async function* pages(url: string, namespace: string, ctx: PollContext): AsyncGenerator<readonly Resource[]> {
    const { discovery } = known(url, namespace);
    const found = discovery.pages?.(partsOf(url).parameter, ctx);
    if (found === undefined) {
      yield await discover(url, namespace, ctx);
      return;
    }
    const iterator = found[Symbol.asyncIterator]();
    try {
      for (;;) {
        // What the one who polls a page throws is no failure of the discovery.
        const page = await iterator.next().catch((err: unknown) => {
          throw failure(url, err, ctx);
        });
        if (page.done === true) return;
        yield checked(page.value);
      }
    } finally {
      await iterator.return?.();
    }
  }

  return { find, discover, pages };
}

function failure(url: string, err: unknown, ctx: PollContext): unknown {
  if (ctx.signal.aborted) return err;
  const message = `discovery ${url} failed: ${describeError(err)}`;
  // Without a code it is a bug, whose stack is wanted.
  return codeOf(err) === undefined ? new Error(message, { cause: err }) : new ServiceError(message, { cause: err });
}

/** `image` of `endpoint://image` and of `endpoint:image`: upstream's documents write it the one way, its code the other. */
function partsOf(url: string): { readonly name: string; readonly parameter: string | undefined } {
  const colon = url.indexOf(':');
  if (colon < 0) return { name: url, parameter: undefined };
  return { name: url.slice(0, colon), parameter: url.slice(colon + 1).replace(/^\/\//, '') };
}

function checked(resources: readonly Resource[]): readonly Resource[] {
  if (!Array.isArray(resources)) throw new ServiceError('expected a list of resources');
  const bad = resources.find((one) => typeof one?.id !== 'string' || one.id === '');
  if (bad !== undefined) throw new ServiceError('expected every resource to have an id that is not empty');
  return resources;
}
