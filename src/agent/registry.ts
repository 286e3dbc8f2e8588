/** Turns plugins into the pollsters and discoveries of the namespaces that were asked for. */
import { fnmatch } from '../config/match.ts';
import { ConfigError, codeOf, describeError, PluginLoadError } from '../errors.ts';
import type { Discovery, Host, Plugin, Pollster } from '../plugin.ts';
import { nearest } from '../util/nearest.ts';
import { within } from '../util/scope.ts';
import { builtin } from './builtin.ts';
import { loadDynamic } from './dynamic-plugins.ts';
import { loadExternal, PLUGIN_PATIENCE, type PluginSource } from './external-plugins.ts';
import { isMeter } from './stamp.ts';

export interface LoadedPollster {
  readonly namespace: string;
  readonly name: string;
  /** The package or file it came from. */
  readonly package: string;
  readonly pollster: Pollster;
}

export interface LoadedDiscovery {
  readonly namespace: string;
  readonly name: string;
  readonly discovery: Discovery;
}

export interface Registry {
  readonly pollsters: readonly LoadedPollster[];
  readonly discoveries: readonly LoadedDiscovery[];
  /** The namespaces that some plugin provides. */
  readonly namespaces: readonly string[];
}

/** One that owns what its plugins opened for themselves. */
export interface OwnedRegistry extends Registry {
  /** Called once, when nothing polls any more. */
  close(): Promise<void>;
}

export interface RegistryRequest {
  /** Undefined asks for every namespace there is. */
  readonly namespaces: readonly string[] | undefined;
  /** Shell wildcards of `--pollster-list`; a pollster must match one of them. */
  readonly pollsterList?: readonly string[];
  /** `[DEFAULT] plugins`: package names, or absolute paths of files. */
  readonly plugins: readonly string[];
  /** What `plugins` means, where it is loaded already. */
  readonly external?: readonly PluginSource[];
  /** Milliseconds for each module and factory. */
  readonly patience?: number;
}

/**
 * Loads what was asked for. A plugin that cannot be loaded, or a member whose factory throws, is logged and left out.
 * Throws {@link ConfigError} when a namespace is provided by nobody or no pollster is left.
 */
export async function loadRegistry(request: RegistryRequest, host: Host): Promise<OwnedRegistry> {
  const dynamic = await loadDynamic(host.config.polling.pollstersDefinitionsDirs, host.log);
  const { patience = PLUGIN_PATIENCE } = request;
  const named = request.external ?? (await loadExternal(request.plugins, host.log, patience));
  const external = [...named, ...dynamic.sources];
  const namespaces = [...new Set([...Object.keys(builtin), ...external.flatMap(({ plugin }) => namespacesOf(plugin))])];
  const wanted = request.namespaces ?? namespaces;
  for (const namespace of wanted) {
    if (namespaces.includes(namespace)) continue;
    const near = nearest(namespace, namespaces);
    const hint = near === undefined ? '' : `, did you mean ${near}?`;
    throw new ConfigError(`no plugin provides namespace ${namespace}${hint} (known: ${namespaces.sort().join(', ')})`);
  }
  const sources = [...(await loadBuiltin(wanted)), ...external];
  const pollsters: LoadedPollster[] = [];
  const discoveries: LoadedDiscovery[] = [];
  for (const namespace of wanted) {
    for (const source of sources) {
      pollsters.push(...(await makePollsters({ namespace, source, host, patience }, pollsters)));
      discoveries.push(...(await makeDiscoveries({ namespace, source, host, patience }, discoveries)));
    }
  }
  const listed = filterPollsters(pollsters, request.pollsterList);
  return { pollsters: listed, discoveries, namespaces, close: dynamic.close };
}

async function loadBuiltin(wanted: readonly string[]): Promise<PluginSource[]> {
  const sources: PluginSource[] = [];
  for (const namespace of wanted) {
    const load = builtin[namespace];
    if (load !== undefined) sources.push({ package: 'ceilometer-ts', plugin: (await load()).default });
  }
  return sources;
}

function namespacesOf(plugin: Plugin): string[] {
  return Object.keys({ ...plugin.pollsters, ...plugin.discoveries });
}

/** Whose factories are to be called. */
interface Makers {
  readonly namespace: string;
  readonly source: PluginSource;
  readonly host: Host;
  readonly patience: number;
}

async function makePollsters(
  { namespace, source, host, patience }: Makers,
  taken: readonly LoadedPollster[],
): Promise<LoadedPollster[]> {
  const made: LoadedPollster[] = [];
  for (const [name, factory] of Object.entries(source.plugin.pollsters?.[namespace] ?? {})) {
    const where = { namespace, pollster: name, plugin: source.package };
    const earlier = taken.find((one) => one.namespace === namespace && one.name === name);
    if (earlier !== undefined) {
      host.log.warn({ ...where, kept: earlier.package }, 'a pollster of this name is there already and is kept');
      continue;
    }
    try {
      const pollster = await within(patience, 'its factory', () => factory(host));
      checkPollster(pollster, name);
      made.push({ namespace, name, package: source.package, pollster });
    } catch (err) {
      reportFactory(host, where, err, 'pollster cannot run here and is left out');
    }
  }
  return made;
}

async function makeDiscoveries(
  { namespace, source, host, patience }: Makers,
  taken: readonly LoadedDiscovery[],
): Promise<LoadedDiscovery[]> {
  const made: LoadedDiscovery[] = [];
  for (const [name, factory] of Object.entries(source.plugin.discoveries?.[namespace] ?? {})) {
    // Nothing to tell of: each definition file brings an `endpoint`, for namespaces that have none of their own.
    if (taken.some((one) => one.namespace === namespace && one.name === name)) continue;
    try {
      const discovery = await within(patience, 'its factory', () => factory(host));
      if (typeof discovery?.discover !== 'function') {
        throw new PluginLoadError(`discovery ${name}: expected an object with discover`);
      }
      made.push({ namespace, name, discovery });
    } catch (err) {
      const where = { namespace, discovery: name, plugin: source.package };
      reportFactory(host, where, err, 'discovery cannot run here and is left out');
    }
  }
  return made;
}

function checkPollster(pollster: Pollster, name: string): void {
  if (typeof pollster?.poll !== 'function') throw new PluginLoadError(`pollster ${name}: expected an object with poll`);
  if (!Array.isArray(pollster.meters) || !pollster.meters.every(isMeter)) {
    throw new PluginLoadError(`pollster ${name}: expected meters to be a list of { name, type, unit }`);
  }
}

/** An operator's mistake ends the start; anything else costs only the member that threw. */
function reportFactory(host: Host, where: object, err: unknown, message: string): void {
  if (codeOf(err) === 'ERR_CONFIG') throw err;
  if (codeOf(err) === 'ERR_PLUGIN_LOAD') host.log.info({ ...where, reason: describeError(err) }, message);
  else host.log.error({ ...where, err }, message);
}

function filterPollsters(
  pollsters: readonly LoadedPollster[],
  list: readonly string[] | undefined,
): readonly LoadedPollster[] {
  const known = pollsters.map(({ name }) => name);
  if (list === undefined || list.length === 0) {
    if (known.length === 0) throw new ConfigError('no pollster could be loaded');
    return pollsters;
  }
  const kept = pollsters.filter(({ name }) => list.some((pattern) => fnmatch(name, pattern)));
  if (kept.length > 0) return kept;
  throw new ConfigError(`no pollster matches --pollster-list ${list.join(' ')} (known: ${known.sort().join(', ')})`);
}
