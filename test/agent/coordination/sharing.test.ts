/** How the work of agents is shared, with two managers that meet in a directory. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Membership } from '../../../src/agent/coordination/membership.ts';
import { openBackend } from '../../../src/agent/coordination/open-backend.ts';
import { workGroups } from '../../../src/agent/coordination/work-groups.ts';
import type { AgentHost } from '../../../src/agent/host.ts';
import { type AgentManager, createManager } from '../../../src/agent/manager.ts';
import type { LoadedPollster, Registry } from '../../../src/agent/registry.ts';
import type { Overrides } from '../../../src/config/load.ts';
import type { PollingSource } from '../../../src/config/polling.ts';
import type { Resource } from '../../../src/plugin.ts';
import { fakeHost } from '../../../src/testing.ts';
import { systemClock } from '../../../src/util/clock.ts';
import { CollectingOutput } from '../../helpers/collecting-output.ts';
import { eventually } from '../../helpers/eventually.ts';
import { recordingLog } from '../../helpers/recording-log.ts';

const NAMES = Array.from({ length: 60 }, (_, index) => `r${index}`);

function pollster(name: string, discovery?: string): LoadedPollster {
  function* poll(resources: readonly Resource[]) {
    for (const { id } of resources) yield { resourceId: id, volume: 1 };
  }
  const meters = [{ name, type: 'gauge', unit: '' } as const];
  return { namespace: 'test', name, package: 'test', pollster: { meters, ...(discovery && { discovery }), poll } };
}

const registry: Registry = {
  pollsters: [
    pollster('found', 'shared'),
    pollster('found.too', 'shared'),
    pollster('own', 'local'),
    ...['one', 'two', 'three', 'four', 'five', 'six'].map((name) => pollster(`by.${name}`, 'local')),
  ],
  discoveries: [
    {
      namespace: 'test',
      name: 'shared',
      discovery: { group: 'shared', discover: async () => NAMES.map((id) => ({ id })) },
    },
    { namespace: 'test', name: 'local', discovery: { group: null, discover: async () => [{ id: 'here' }] } },
  ],
  namespaces: ['test'],
};

const source: PollingSource = {
  name: 'all',
  interval: 3600,
  meters: ['found', 'own'],
  resources: [],
  discovery: [],
  where: 'polling.yaml:1',
};

describe('agents that share their work', () => {
  let folder: string;
  const memberships: Membership[] = [];

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'ceilometer-sharing-'));
  });

  afterEach(async () => {
    for (const membership of memberships.splice(0)) await membership.close();
    rmSync(folder, { recursive: true });
  });

  interface Agent {
    readonly manager: AgentManager;
    readonly membership: Membership;
    readonly output: CollectingOutput;
    readonly log: ReturnType<typeof recordingLog>;
    /** `meter resource` of what one cycle polls. */
    cycle(): Promise<readonly string[]>;
  }

  function agent(name: string, sources: readonly PollingSource[] = [source], options: Overrides = {}): Agent {
    const fake = fakeHost({ options });
    const log = recordingLog();
    const host: AgentHost = { ...fake, log, connections: () => 0, close: async () => {} };
    const output = new CollectingOutput();
    const backend = openBackend(`file://${folder}?timeout=60`, name);
    const membership = new Membership({ backend, member: name, clock: systemClock, log });
    memberships.push(membership);
    const manager = createManager({
      config: fake.config,
      host,
      registry,
      sources,
      output,
      sharing: {
        groups: workGroups(fake.config, ['test'], sources, log),
        takePart: (groups) => membership.use(groups),
      },
    });
    return {
      manager,
      membership,
      output,
      log,
      async cycle() {
        const before = output.samples.length;
        await manager.once(new AbortController().signal);
        return output.samples.slice(before).map((sample) => `${sample.name} ${sample.resourceId}`);
      },
    };
  }

  /** What each of two agents polls once both know of each other. */
  async function shares(first: Agent, second: Agent): Promise<readonly (readonly string[])[]> {
    await first.cycle();
    await second.cycle();
    return [await first.cycle(), await second.cycle()];
  }

  it('polls everything alone, and with another one each resource once and what is local twice', async () => {
    const [a, b] = [agent('a'), agent('b')];

    const alone = await a.cycle();
    const [ofA = [], ofB = []] = await shares(a, b);

    const found = NAMES.map((name) => `found ${name}`);
    expect([...alone].sort()).toEqual([...found, 'own here'].sort());
    expect([...ofA, ...ofB].sort()).toEqual([...found, 'own here', 'own here'].sort());
    expect(Math.min(ofA.length, ofB.length)).toBeGreaterThan(5);
  });

  it('shares static resources, by what they are and not by the order that a file lists them in', async () => {
    const statics = { ...source, meters: ['own'], resources: NAMES };
    const [a, b] = [agent('a', [statics]), agent('b', [{ ...statics, resources: NAMES.toReversed() }])];

    const [ofA = [], ofB = []] = await shares(a, b);

    expect([...ofA, ...ofB].sort()).toEqual(NAMES.map((name) => `own ${name}`).sort());
    expect(Math.min(ofA.length, ofB.length)).toBeGreaterThan(5);
  });

  it('shares pollsters where a source has an expression, and then nothing of what these find', async () => {
    const groupExpression = { text: '"rack 1"', where: 'polling.yaml:1: sources[0].x' };
    const byPollster = { ...source, meters: ['found', 'by.*'], groupExpression };
    const [a, b] = [agent('a', [byPollster]), agent('b', [byPollster])];

    const [ofA = [], ofB = []] = await shares(a, b);

    const all = [
      ...NAMES.map((name) => `found ${name}`),
      ...['one', 'two', 'three', 'four', 'five', 'six'].map((name) => `by.${name} here`),
    ];
    expect([...ofA, ...ofB].sort()).toEqual(all.sort());
    expect(Math.min(ofA.length, ofB.length)).toBeGreaterThan(0);
    expect([0, NAMES.length]).toContain(ofA.filter((text) => text.startsWith('found')).length);
  });

  it('shares resources in one source and pollsters in another, though both read one discovery', async () => {
    const groupExpression = { text: '"rack 1"', where: 'polling.yaml:2: sources[1].x' };
    const sources = [
      { ...source, meters: ['found'] },
      { ...source, name: 'by pollster', meters: ['found.too'], groupExpression },
    ];
    const [a, b] = [agent('a', sources), agent('b', sources)];

    const [ofA = [], ofB = []] = await shares(a, b);

    const all = NAMES.flatMap((name) => [`found ${name}`, `found.too ${name}`]);
    expect([...ofA, ...ofB].sort()).toEqual(all.sort());
    expect([0, NAMES.length]).toContain(ofA.filter((text) => text.startsWith('found.too')).length);
    expect(Math.min(ofA.length, ofB.length)).toBeGreaterThan(5);
  });

  it.each([
    ["'rack'", 'all-rack'],
    ['self.conf.host', 'all-testhost'],
    ['self.group_prefix', 'all-test-north'],
    ['self.conf.polling.partitioning_group_prefix', 'all-north'],
    ['p.name', 'all-all'],
  ])('understands the expression %s', (text, group) => {
    const options = { default: { host: 'testhost' }, polling: { partitioningGroupPrefix: 'north' } };
    const shared = { ...source, groupExpression: { text, where: 'p.yaml:5: sources[0].x' } };

    const groups = workGroups(fakeHost({ options }).config, ['test'], [shared], recordingLog());

    expect(groups.pollsters(shared)).toBe(group);
  });

  it('refuses any other expression, naming file, line and what it understands', () => {
    const shared = {
      ...source,
      groupExpression: { text: '__import__("os").getcwd()', where: 'p.yaml:5: sources[0].x' },
    };

    expect(() => agent('a', [shared])).toThrow(
      'p.yaml:5: sources[0].x: expected a text in quotes or one of p.name, self.conf.host, ' +
        'self.conf.polling.partitioning_group_prefix, self.group_prefix, socket.gethostname(), ' +
        'got __import__("os").getcwd()',
    );
  });

  it('warns of an expression beside static resources, which are shared instead', () => {
    const groupExpression = { text: 'self.conf.host', where: 'p.yaml:5: sources[0].x' };
    const { log } = agent('a', [{ ...source, resources: ['x'], groupExpression }]);

    expect(log.told).toEqual(['warn group_id_coordination_expression has no effect beside static resources']);
  });

  it('shares nothing with agents of another prefix', async () => {
    const [a, b] = [agent('a'), agent('b', [source], { polling: { partitioningGroupPrefix: 'north' } })];

    const [ofA = [], ofB = []] = await shares(a, b);

    expect([ofA.length, ofB.length]).toEqual([61, 61]);
  });

  it('polls what one that leaves had, in the slot in hand', async () => {
    const [a, b] = [agent('a'), agent('b')];
    const stop = new AbortController();
    await b.cycle();
    const running = a.manager.run(stop.signal, new AbortController().signal);
    await eventually(() => a.output.reports.length).toBe(1);
    const first = a.output.samples.map(({ id }) => id);

    await b.membership.leave();
    // Its own beat would notice that after 20 seconds.
    const other = a.membership.use(['elsewhere']);
    await other.share(5_000);
    await eventually(() => a.output.samples.length).toBe(61);
    stop.abort();
    await running;

    expect(first.length).toBeLessThan(61);
    expect(new Set(a.output.samples.map(({ id }) => id)).size).toBe(61);
    expect(a.log.told).toContain('info polled what other agents left');
  });

  it('stays a member over a reload, whose first cycle is yet to come', async () => {
    const a = agent('a');
    const old = a.membership.use(['g', 'gone']);
    await old.share(5_000);
    const next = a.membership.use(['g', 'new']);

    await old.release();
    const other = openBackend(`file://${folder}?timeout=60`, 'c');
    const members = await other.sync(['g', 'gone', 'new'], AbortSignal.timeout(5_000));
    await next.share(5_000);
    const later = await other.sync(['g', 'gone', 'new'], AbortSignal.timeout(5_000));

    expect(Object.fromEntries(members)).toEqual({ g: ['a', 'c'], gone: ['c'], new: ['c'] });
    expect(later.get('new')).toEqual(['a', 'c']);
  });
});
