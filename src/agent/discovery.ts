import { codeOf, describeError, ServiceError } from '../errors.ts';
import type { PollContext, Resource } from '../plugin.ts';
import { type ReplayBounds, replay } from '../util/replay.ts';
import type { LoadedDiscovery } from './registry.ts';

/** Whether this agent polls what a discovery of the group found. */
export type IsOurs = (group: string | null, resource: Resource) => boolean;

/**
 * Resolves the discoveries of a source or pollster, `name`, `name:parameter` or `name://parameter`. Within a cycle each
 * is asked once, whoever needs it, and its failure is shared like its result.
 */
export interface Discoverer {
  /** The discovery that a URL means to pollsters of this namespace. */
  find(url: string, namespace: string): LoadedDiscovery | undefined;
  /**
   * A name for what it finds page by page: two URLs of one name find the same. Undefined where it finds all at once.
   */
  listing(url: string, namespace: string): string | undefined;
  /** They come a page at a time where the discovery can, which is not kept when as many have read it as are said to. */
  pages(url: string, namespace: string, ctx: PollContext, options: ReadOptions): AsyncIterable<readonly Resource[]>;
}

export interface ReadOptions {
  /** The same for all who read in one cycle, since they share the pages. Left out, everything is this agent's. */
  readonly isOurs: IsOurs | undefined;
  /** All where agents share pollsters and not resources. */
  readonly part: keyof Page;
  readonly bounds: ReplayBounds;
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

  /** All at once. */
  async function discover(url: string, namespace: string, ctx: PollContext, isOurs?: IsOurs): Promise<Page> {
    const { namespace: of, discovery } = known(url, namespace);
    return ctx.cache.get(`discovery ${of} ${url}`, async () => {
      try {
        return pageOf(checked(await discovery.discover(partsOf(url).parameter, ctx)), discovery.group, isOurs);
      } catch (err) {
        throw failure(url, err, ctx);
      }
    });
  }

  async function shared(url: string, namespace: string, ctx: PollContext, { bounds, isOurs }: ReadOptions) {
    const { namespace: of, discovery } = known(url, namespace);
    const { parameter } = partsOf(url);
    return ctx.cache.get(`pages of discovery ${of} ${url}`, () =>
      replay<Page>(async (put) => {
        try {
          for await (const page of discovery.pages?.(parameter, ctx) ?? []) {
            if (!(await put(pageOf(checked(page), discovery.group, isOurs)))) return;
          }
        } catch (err) {
          throw failure(url, err, ctx);
        }
      }, bounds),
    );
  }

  return {
    find,
    listing(url, namespace) {
      const found = find(url, namespace);
      return found?.discovery.pages === undefined ? undefined : `${found.namespace} ${url}`;
    },
    async *pages(url, namespace, ctx, options) {
      const { discovery } = known(url, namespace);
      const pages =
        discovery.pages === undefined
          ? [await discover(url, namespace, ctx, options.isOurs)]
          : await shared(url, namespace, ctx, options);
      for await (const page of pages) yield page[options.part];
    },
  };
}

interface Page {
  readonly all: readonly Resource[];
  readonly ours: readonly Resource[];
}

function pageOf(all: readonly Resource[], group: string | null, isOurs: IsOurs | undefined): Page {
  return { all, ours: isOurs === undefined ? all : all.filter((resource) => isOurs(group, resource)) };
}

function failure(url: string, err: unknown, ctx: PollContext): unknown {
  if (ctx.signal.aborted) return err;
  const message = `discovery ${url} failed: ${describeError(err)}`;
  // Without a code it is a bug, whose stack is wanted.
  return codeOf(err) === undefined ? new Error(message, { cause: err }) : new ServiceError(message, { cause: err });
}

/**
 * `image` of `endpoint://image` and of `endpoint:image`: upstream's documents write it the one way, its code the other.
 */
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
