import { createHost } from '../agent/host.ts';
import { type LoadedPollster, loadRegistry } from '../agent/registry.ts';
import { tableLines } from '../util/table.ts';
import { type ConfigArguments, exitCodes, openLog, readConfig } from './common.ts';

/** Prints a row for each meter of each pollster, of every namespace and plugin. */
export async function listPlugins(args: ConfigArguments): Promise<number> {
  const loaded = readConfig(args);
  const host = createHost(loaded.config, openLog('ceilometer', loaded));
  const { pollsters } = await loadRegistry({ namespaces: undefined, plugins: loaded.config.default.plugins }, host);
  const rows = pollsters.flatMap(rowsOf);
  const columns = ['NAMESPACE', 'METER', 'TYPE', 'UNIT', 'PACKAGE'].map((title) => ({ title }));
  process.stdout.write(`${tableLines(columns, rows).join('\n')}\n`);
  await host.close();
  return exitCodes.ok;
}

function rowsOf({ namespace, name, package: from, pollster }: LoadedPollster): string[][] {
  if (pollster.meters.length === 0) return [[namespace, name, 'any', 'any', from]];
  return pollster.meters.map((meter) => [namespace, meter.name, meter.type, meter.unit, from]);
}
