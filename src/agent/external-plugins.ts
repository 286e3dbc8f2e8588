/** Plugins that the operator names: packages installed beside the agent, or files anywhere. */
import { existsSync } from 'node:fs';
import { register } from 'node:module';
import { isAbsolute } from 'node:path';
import { pathToFileURL } from 'node:url';
import { codeOf, PluginLoadError } from '../errors.ts';
import type { Logger, Plugin } from '../plugin.ts';
import { within } from '../util/scope.ts';

export interface PluginSource {
  /** The package or file it came from. */
  readonly package: string;
  readonly plugin: Plugin;
}

/** Milliseconds for a module to load, and for each of a plugin's factories. Neither has anything to wait for. */
export const PLUGIN_PATIENCE = 10_000;

/** A plugin that cannot be loaded is logged and left out. */
export async function loadExternal(
  names: readonly string[],
  log: Logger,
  patience = PLUGIN_PATIENCE,
): Promise<PluginSource[]> {
  const sources: PluginSource[] = [];
  if (names.some((name) => isAbsolute(name) || isLinked(name))) shareOwnName();
  for (const name of new Set(names)) {
    try {
      const module = await within(patience, 'loading', () => importPlugin(name));
      sources.push({ package: name, plugin: checkPlugin(module) });
    } catch (err) {
      log.error({ plugin: name, err }, 'plugin could not be loaded and is left out');
    }
  }
  return sources;
}

async function importPlugin(name: string): Promise<unknown> {
  if (isAbsolute(name) && !existsSync(name)) throw new PluginLoadError('there is no such file');
  try {
    return await import(isAbsolute(name) ? pathToFileURL(name).href : name);
  } catch (err) {
    // Node shows the place only where nobody catches the error.
    if (err instanceof SyntaxError) throw new PluginLoadError(`${err.message} (node --check shows where)`);
    if (!isAbsolute(name) && isMissing(err, name)) {
      throw new PluginLoadError('no such package is installed beside the agent, and a file needs its absolute path');
    }
    throw err;
  }
}

/** Whether it is the package itself that is not there, and nothing that it imports. */
function isMissing(err: unknown, name: string): boolean {
  const [sought] = /^(?:@[^/]+\/)?[^/]+/.exec(name) ?? [name];
  return codeOf(err) === 'ERR_MODULE_NOT_FOUND' && err instanceof Error && err.message.includes(`package '${sought}'`);
}

const byNamespace = ['pollsters', 'discoveries'];
const byName = ['endpoints', 'traits', 'publishers'];
const kinds = [...byNamespace, ...byName];

/** The plugin that a module exports by default. */
function checkPlugin(module: unknown): Plugin {
  const plugin = typeof module === 'object' && module !== null && 'default' in module ? module.default : undefined;
  if (typeof plugin !== 'object' || plugin === null) {
    throw new PluginLoadError('expected a default export made with definePlugin');
  }
  const { api } = plugin as { api?: unknown };
  if (api !== 1) throw new PluginLoadError(`expected api: 1, got ${JSON.stringify(api)}`);
  for (const kind of byNamespace) {
    const groups: unknown = (plugin as Record<string, unknown>)[kind] ?? {};
    if (!isRecord(groups) || !Object.values(groups).every(isRecordOfFactories)) {
      throw new PluginLoadError(`expected ${kind} to map namespaces to named factories`);
    }
  }
  for (const kind of byName) {
    const factories: unknown = (plugin as Record<string, unknown>)[kind] ?? {};
    if (!isRecordOfFactories(factories)) {
      throw new PluginLoadError(`expected ${kind} to map names to factories`);
    }
  }
  if (!kinds.some((kind) => kind in plugin)) throw new PluginLoadError(`expected one of ${kinds.join(', ')}`);
  return plugin as Plugin;
}

function isRecordOfFactories(value: unknown): boolean {
  return isRecord(value) && Object.values(value).every((factory) => typeof factory === 'function');
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Whether a package is a link to a folder, as `npm install FOLDER` makes it, from where this one is not in sight. */
function isLinked(name: string): boolean {
  try {
    return !import.meta.resolve(name).includes('/node_modules/');
  } catch {
    // It is not there.
    return false;
  }
}

let shared = false;

/**
 * Lets a file, or a package outside of `node_modules`, import `ceilometer-ts/plugin` and get this very copy: the name
 * is resolved as if from here.
 */
function shareOwnName(): void {
  if (shared) return;
  shared = true;
  const here = JSON.stringify(import.meta.url);
  const hook = `export const resolve = (name, context, next) =>
    next(name, name.startsWith('ceilometer-ts/') ? { ...context, parentURL: ${here} } : context);`;
  register(`data:text/javascript,${encodeURIComponent(hook)}`);
}
