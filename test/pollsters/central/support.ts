/** The namespace central, polled from a cloud of the test's own. */
import { readFileSync } from 'node:fs';
import { createCycleCache } from '../../../src/agent/cycle-cache.ts';
import { createDiscoverer } from '../../../src/agent/discovery.ts';
import { loadRegistry, type Registry } from '../../../src/agent/registry.ts';
import type { Overrides } from '../../../src/config/load.ts';
import type { PollContext } from '../../../src/plugin.ts';
import type { Sample } from '../../../src/sample.ts';
import { collect, type FakeHost, fakeHost } from '../../../src/testing.ts';
import { discovered } from '../../helpers/discovered.ts';
import { type Answer, credentialsFor, type FakeCloud } from '../../helpers/fake-openstack.ts';
import { soon } from '../../helpers/patience.ts';
import { cloudWith, sessionOf, testClock } from '../../openstack/support.ts';

const fixture = (name: string) => readFileSync(new URL(`../../fixtures/central/${name}`, import.meta.url), 'utf8');

export interface GoldenSample {
  readonly counter_name: string;
  readonly counter_volume: number | string | null;
  readonly resource_id: string;
  readonly resource_metadata: Readonly<Record<string, unknown>>;
}

interface Recorded {
  readonly service: string;
  readonly method: string;
  readonly path: string;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
}

const lines = (text: string) => text.trimEnd().split('\n');

/** What upstream sent of a real cloud. */
export const golden: readonly GoldenSample[] = lines(fixture('samples.jsonl')).map((line) => JSON.parse(line));
/** What its services had answered. */
const recorded: readonly Recorded[] = lines(fixture('http.jsonl')).map((line) => JSON.parse(line));

export interface Agent {
  readonly cloud: FakeCloud;
  readonly host: FakeHost;
  readonly registry: Registry;
  /** Time passes only when a test says so. */
  readonly clock: { time: number };
  /** The samples of one poll; the polls of one cycle share a context. */
  poll(pollster: string, ctx?: PollContext): Promise<readonly Sample[]>;
  cycle(): PollContext;
}

export async function agentOf(cloud: FakeCloud, options: Overrides = {}): Promise<Agent> {
  const serviceCredentials = credentialsFor(cloud);
  const clock = testClock();
  const host = fakeHost({ options: { ...options, serviceCredentials }, openstack: sessionOf(cloud, {}, clock) });
  const registry = await loadRegistry({ namespaces: ['central'], plugins: [] }, host);
  const cycle = (): PollContext => ({
    signal: soon(),
    cache: createCycleCache(),
    log: host.log,
    source: 'test',
  });
  return {
    cloud,
    host,
    registry,
    clock,
    cycle,
    async poll(name, ctx = cycle()) {
      const found = registry.pollsters.find((one) => one.name === name);
      if (found === undefined) throw new Error(`there is no pollster ${name}`);
      const discoverer = createDiscoverer(registry.discoveries);
      const resources = await discovered(discoverer, found.pollster.discovery ?? '', 'central', ctx);
      return resources.length === 0 ? [] : collect(found.pollster, resources, ctx);
    },
  };
}

/** A cloud that answers as the recorded one did. */
export async function recordedCloud(): Promise<FakeCloud> {
  const cloud = await cloudWith();
  cloud.catalogue = JSON.parse(fixture('catalogue.json')).map(({ type, path }: { type: string; path: string }) => ({
    type,
    url: `${path}/`,
  }));
  for (const { path, service } of recorded) {
    const bare = path.replace(/\?.*/, '');
    cloud.routes.set(bare, replay);
    if (service === 'rgw-fake') cloud.tokenless.add(bare);
  }
  return cloud;
}

/** How many fit into a page is not what the recording tells apart. */
function keyOf(method: string, path: string): string {
  const { pathname, searchParams } = new URL(path, 'http://localhost');
  searchParams.delete('limit');
  searchParams.sort();
  return `${method} ${pathname}?${searchParams}`;
}

const answers = new Map(recorded.map((one) => [keyOf(one.method, one.path), one]));

const replay: Answer = ({ method, path }, response) => {
  const found = answers.get(keyOf(method, path));
  response.writeHead(found?.status ?? 500, { 'content-type': 'application/json', ...found?.headers });
  response.end(found === undefined ? `nothing recorded of ${method} ${path}` : JSON.stringify(found.body));
};
