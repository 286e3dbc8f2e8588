/** Definitions in a folder of the test's own, polled once against a cloud of its own. */

import { afterEach } from 'vitest';
import { createCycleCache } from '../../../src/agent/cycle-cache.ts';
import { createDiscoverer } from '../../../src/agent/discovery.ts';
import { eachReading } from '../../../src/agent/readings.ts';
import { loadRegistry } from '../../../src/agent/registry.ts';
import { createStamp } from '../../../src/agent/stamp.ts';
import { loadConfig, type Overrides } from '../../../src/config/load.ts';
import { describeError } from '../../../src/errors.ts';
import { createSession } from '../../../src/openstack/session.ts';
import type { PollContext } from '../../../src/plugin.ts';
import type { Sample } from '../../../src/sample.ts';
import { type FakeHost, fakeHost, pollContext } from '../../../src/testing.ts';
import { tempFiles } from '../../config/temp-files.ts';
import { discovered } from '../../helpers/discovered.ts';
import { type Answer, credentialsFor, type FakeCloud, json, startFakeCloud } from '../../helpers/fake-openstack.ts';
import { soon } from '../../helpers/patience.ts';

const closers: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

/** Routes may have a query. What needs no token is served as well. */
export async function cloudOf(routes: Readonly<Record<string, unknown>>, types: readonly string[] = ['compute']) {
  const cloud = await startFakeCloud();
  closers.push(cloud.close);
  cloud.valid.add('undefined');
  cloud.catalogue = types.map((type) => ({ type, url: cloud.url }));
  for (const path of new Set(Object.keys(routes).map((route) => route.replace(/\?.*/, '')))) {
    cloud.routes.set(path, (asked, response) => {
      const found = routes[asked.path] ?? routes[path];
      const answer: Answer =
        typeof found === 'function' ? (found as Answer) : json(found, found === undefined ? 404 : 200);
      return answer(asked, response);
    });
  }
  return cloud;
}

interface Polled {
  readonly samples: readonly Sample[];
  /** By pollster. */
  readonly failures: Readonly<Record<string, string>>;
}

interface Loaded {
  readonly names: readonly string[];
  /** Where the definitions are. */
  readonly folder: string;
  readonly host: FakeHost;
  /** `level message reason` of all lines above debug. */
  readonly told: readonly string[];
  /** Of what the discovery finds; of their own one where it is left out. */
  poll(discovery?: string): Promise<Polled>;
  /** Lets go of what the definitions opened. */
  close(): Promise<void>;
}

export async function load(
  yaml: string,
  cloud?: FakeCloud,
  namespaces: readonly string[] = ['central'],
  polling: Overrides['polling'] = {},
): Promise<Loaded> {
  return loadFiles({ 'pollsters.yaml': yaml }, cloud, namespaces, polling);
}

export async function loadFiles(
  files: Readonly<Record<string, string>>,
  cloud?: FakeCloud,
  namespaces: readonly string[] = ['central'],
  polling: Overrides['polling'] = {},
): Promise<Loaded> {
  const folder = tempFiles(files);
  const overrides = { serviceCredentials: cloud === undefined ? {} : credentialsFor(cloud) };
  const { config } = loadConfig({ files: [], dirs: [], env: {}, overrides });
  const session = cloud === undefined ? undefined : createSession(config);
  if (session !== undefined) closers.push(session.close);
  const options = { polling: { ...polling, pollstersDefinitionsDirs: [folder] } };
  const host = fakeHost(session === undefined ? { options } : { options, openstack: session });
  const registry = await loadRegistry({ namespaces: ['host', ...namespaces], plugins: [] }, host);
  const dynamic = registry.pollsters.filter((one) => one.package.startsWith(folder));
  const discoverer = createDiscoverer(registry.discoveries);
  return {
    names: dynamic.map(({ name }) => name),
    folder,
    host,
    get told() {
      return host.lines
        .filter(({ level }) => level !== 'debug')
        .map(({ level, message, fields }) =>
          `${level} ${message} ${Object.values(fields).join(' ')}`.replaceAll(`${folder}/`, ''),
        );
    },
    close: registry.close,
    async poll(discovery) {
      const samples: Sample[] = [];
      const failures: Record<string, string> = {};
      for (const { name, namespace, pollster } of dynamic) {
        const ctx: PollContext = {
          ...pollContext({ host, signal: soon() }),
          cache: createCycleCache(),
        };
        const stamp = createStamp({
          sampleSource: 'openstack',
          pollingSource: 'test',
          slot: 0,
          time: 0,
          meter: pollster.meters[0],
        });
        try {
          const resources = await discovered(discoverer, discovery ?? pollster.discovery ?? '', namespace, ctx);
          for await (const reading of eachReading(await pollster.poll(resources, ctx))) {
            const sample = stamp.make(reading);
            if (typeof sample === 'string') throw new TypeError(sample);
            samples.push(sample);
          }
        } catch (error) {
          failures[name] = describeError(error);
        }
      }
      return { samples, failures };
    },
  };
}
