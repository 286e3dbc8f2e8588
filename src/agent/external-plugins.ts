/** Plugins that the operator names: packages installed beside the agent, or files anywhere. */
import { register } from 'node:module';
import { isAbsolute } from 'node:path';
import { pathToFileURL } from 'node:url';
import { PluginLoadError } from '../errors.ts';
import type { Logger, Plugin } from '../plugin.ts';

export interface PluginSource {
  /** The package or file it came from. */
  readonly package: string;
  readonly plugin: Plugin;
}

/** A plugin that cannot be loaded is logged and left out. */
export async function loadExternal(names: readonly string[], log: Logger): Promise<PluginSource[]> {
  const sources: PluginSource[] = [];
  if (names.some(isAbsolute)) shareOwnName();
  for (const name of new Set(names)) {
    try {
      const module: unknown = await import(isAbsolute(name) ? pathToFileURL(name).href : name);
      sources.push({ package: name, plugin: checkPlugin(module, name) });
    } catch (err) {
      log.error({ plugin: name, err }, 'plugin could not be loaded and is left out');
    }
  }
  return sources;
}

/** The plugin that a module exports by default. */
function checkPlugin(module: unknown, name: string): Plugin {
  const plugin = typeof module === 'object' && module !== null && 'default' in module ? module.default : undefined;
  if (typeof plugin !== 'object' || plugin === null) {
    throw new PluginLoadError(`plugin ${name}: expected a default export made with definePlugin`);
  }
  const { api } = plugin as { api?: unknown };
  if (api !== 1) throw new PluginLoadError(`plugin ${name}: expected api: 1, got ${JSON.stringify(api)}`);
  for (const kind of ['pollsters', 'discoveries'] as const) {
    const groups: unknown = (plugin as Record<string, unknown>)[kind] ?? {};
    if (!isRecord(groups) || !Object.values(groups).every(isRecord)) {
      throw new PluginLoadError(`plugin ${name}: expected ${kind} to map namespaces to named factories`);
    }
  }
  for (const kind of ['endpoints', 'traits', 'publishers'] as const) {
    const factories: unknown = (plugin as Record<string, unknown>)[kind] ?? {};
    if (!isRecord(factories) || !Object.values(factories).every((factory) => typeof factory === 'function')) {
      throw new PluginLoadError(`plugin ${name}: expected ${kind} to map names to factories`);
    }
  }
  return plugin as Plugin;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

let shared = false;

/**
 * Lets a file outside of any package's folder import `ceilometer-ts/plugin` and get this very copy: the name is resolved
 * as if from here.
 */
function shareOwnName(): void {
  if (shared) return;
  shared = true;
  const hook = `export const resolve = (specifier, context, next) =>
    next(specifier, specifier.startsWith('ceilometer-ts/') ? { ...context, parentURL: ${JSON.stringify(import.meta.url)} } : context);`;
  register(`data:text/javascript,${encodeURIComponent(hook)}`);
}
