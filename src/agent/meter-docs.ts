/** docs/meters.md, made from the manifest. */
import { loadConfig } from '../config/load.ts';
import { createHost } from './host.ts';
import { type LoadedPollster, loadRegistry } from './registry.ts';

const quiet = { debug() {}, info() {}, warn() {}, error() {} };

/** Every meter that this package can poll, by namespace. */
export async function metersMarkdown(): Promise<string> {
  const { config } = loadConfig({
    files: [],
    dirs: [],
    env: {},
    overrides: { polling: { pollstersDefinitionsDirs: [] } },
  });
  const host = createHost(config, quiet);
  const { pollsters } = await loadRegistry({ namespaces: undefined, plugins: [] }, host);
  await host.close();
  const namespaces = [...new Set(pollsters.map(({ namespace }) => namespace))];
  return [
    '# Meters',
    '',
    'Made from the code by `npm run docs`. Volumes of *cumulative* meters only rise until the resource starts anew, *delta*',
    'meters say the change since the poll before, *gauge* meters the value now. What the source of a number does not know',
    'gives no sample, never 0.',
    ...namespaces.flatMap((namespace) =>
      section(
        namespace,
        pollsters.filter((one) => one.namespace === namespace),
      ),
    ),
    '',
  ].join('\n');
}

function section(namespace: string, pollsters: readonly LoadedPollster[]): string[] {
  const rows = pollsters
    .flatMap(({ pollster }) => pollster.meters)
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .map(({ name, type, unit, help }) => `| \`${name}\` | ${type} | ${unit} | ${help ?? ''} |`);
  return ['', `## ${namespace}`, '', '| Meter | Type | Unit | What it says |', '| --- | --- | --- | --- |', ...rows];
}
