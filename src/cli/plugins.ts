import { loadExternal, type PluginSource } from '../agent/external-plugins.ts';
import { createHost } from '../agent/host.ts';
import { type LoadedPollster, loadRegistry } from '../agent/registry.ts';
import { describeError } from '../errors.ts';
import { METER, notificationMembers } from '../notifications/members.ts';
import type { Factory, Host, NotificationEndpoint } from '../plugin.ts';
import { tableLines } from '../util/table.ts';
import { type ConfigArguments, exitCodes, openLog, readConfig } from './common.ts';

/**
 * Prints a row for each meter of each pollster, of every namespace and plugin, and one for each endpoint, trait plugin
 * and publisher of the notification agent. The exit code tells whether each plugin could be loaded.
 */
export async function listPlugins(args: ConfigArguments): Promise<number> {
  const loaded = readConfig(args);
  const { plugins } = loaded.config.default;
  const host = createHost(loaded.config, openLog('ceilometer', loaded));
  const external = await loadExternal(plugins, host.log);
  const { pollsters } = await loadRegistry({ namespaces: undefined, plugins, external }, host);
  print(['NAMESPACE', 'METER', 'TYPE', 'UNIT', 'PACKAGE'], pollsters.flatMap(rowsOf));
  process.stdout.write('\n');
  print(['KIND', 'NAME', 'PACKAGE', 'TAKES'], await notificationRows(external, host));
  await host.close();
  return external.length < new Set(plugins).size ? exitCodes.cannotStart : exitCodes.ok;
}

function print(titles: readonly string[], rows: string[][]): void {
  const columns = titles.map((title) => ({ title }));
  process.stdout.write(`${tableLines(columns, rows).join('\n')}\n`);
}

function rowsOf({ namespace, name, package: from, pollster }: LoadedPollster): string[][] {
  if (pollster.meters.length === 0) return [[namespace, name, 'any', 'any', from]];
  return pollster.meters.map((meter) => [namespace, meter.name, meter.type, meter.unit, from]);
}

async function notificationRows(external: readonly PluginSource[], host: Host): Promise<string[][]> {
  const { endpoints, traits, publishers } = notificationMembers(external, host.log);
  const rows: string[][] = [];
  for (const [name, { value, package: from }] of endpoints) {
    rows.push(['endpoint', name, from, await eventTypesOf(value, host)]);
  }
  rows.push(['endpoint', METER, 'ceilometer-ts', 'what the files of meter_definitions_dirs say']);
  for (const [name, { package: from }] of traits) rows.push(['trait', name, from, 'fields of definitions']);
  for (const [name, { package: from }] of publishers) rows.push(['publisher', name, from, `${name}://`]);
  return rows;
}

async function eventTypesOf(factory: Factory<NotificationEndpoint>, host: Host): Promise<string> {
  try {
    const { eventTypes } = await factory(host);
    return eventTypes.length === 0 ? 'any event type' : eventTypes.join(' ');
  } catch (error) {
    return `cannot run here: ${describeError(error)}`;
  }
}
