/** Swift: accounts, one for each project, and their containers. */
import { createHash } from 'node:crypto';
import type { Factory, Host, Meter, PollContext, Pollster, Reading, Resource } from '../../plugin.ts';
import { replay } from '../../util/replay.ts';
import type { JsonObject } from '../../wire/value.ts';
import { askEach } from './ask-each.ts';
import { askedOf, type Central, type CentralOf } from './central.ts';
import { numberOf } from './fields.ts';
import type { Pollsters } from './item-pollsters.ts';
import { createSwiftApi, type SwiftApi } from './swift-api.ts';

interface Row {
  readonly unit: string;
  readonly help: string;
  /** The header of an account, or the key of a container. */
  readonly from: string;
}

const accounts: Readonly<Record<string, Row>> = {
  'storage.objects': {
    unit: 'object',
    help: 'Number of objects of the account; 0 for a project that never had one.',
    from: 'x-account-object-count',
  },
  'storage.objects.size': { unit: 'B', help: 'Bytes of all its objects.', from: 'x-account-bytes-used' },
  'storage.objects.containers': {
    unit: 'container',
    help: 'Number of its containers.',
    from: 'x-account-container-count',
  },
};

const containers: Readonly<Record<string, Row>> = {
  'storage.containers.objects': { unit: 'object', help: 'Number of objects in the container.', from: 'count' },
  'storage.containers.objects.size': { unit: 'B', help: 'Bytes of all its objects.', from: 'bytes' },
};

type Poll = (swift: Swift, resources: readonly Resource[], ctx: PollContext, row: Row, name: string) => Readings;
type Readings = AsyncGenerator<Reading>;

interface Swift {
  readonly central: Central;
  readonly api: SwiftApi;
}

export function swiftPollsters(centralOf: CentralOf): Pollsters {
  const pollsters = (table: Readonly<Record<string, Row>>, poll: Poll, shared: Pick<Pollster, 'together'>) =>
    Object.entries(table).map(([name, row]) => [name, pollsterOf(centralOf, name, row, { poll, shared })] as const);
  return Object.fromEntries([
    ...pollsters(accounts, pollAccounts, {}),
    ...pollsters(containers, pollContainers, { together: 'containers of Swift' }),
  ]);
}

interface Manner {
  readonly poll: Poll;
  readonly shared: Pick<Pollster, 'together'>;
}

function pollsterOf(centralOf: CentralOf, name: string, row: Row, { poll, shared }: Manner): Factory<Pollster> {
  const meter: Meter = { name, type: 'gauge', unit: row.unit, help: row.help };
  return (host: Host) => {
    const central = centralOf(host);
    const service = central.services.swift;
    const api = service && createSwiftApi(service, host.config.default.resellerPrefix);
    return {
      meters: [meter],
      discovery: 'tenant',
      ...shared,
      async *poll(resources, ctx): Readings {
        if (service === undefined || api === undefined) return;
        const url = await askedOf(central, 'swift', () => service.endpoint(ctx.signal));
        if (url !== undefined) yield* poll({ central, api }, resources, ctx, row, name);
      },
    };
  };
}

async function* pollAccounts({ central, api }: Swift, ...[projects, ctx, { from }]: Polled): Readings {
  const answers = askEach(central, projects, ctx, {
    what: 'accounts of Swift',
    ask: ({ id }) => api.account(id, ctx),
  });
  for await (const [{ id }, account] of answers) {
    const volume = numberOf(account[from]);
    if (volume !== undefined) yield { resourceId: id, volume, projectId: id };
  }
}

/** A page of the containers of a project. */
interface Page {
  readonly project: string;
  readonly containers: readonly JsonObject[];
}

/** Milliseconds that one meter waits for the other before what that has not read is kept for it. */
const PATIENCE = 5_000;

async function* pollContainers(swift: Swift, ...[projects, ctx, { from }]: Polled): Readings {
  const { readers = Number.POSITIVE_INFINITY } = ctx;
  const ids = createHash('sha1').update(projects.map(({ id }) => id).join('\n'));
  const pages = await ctx.cache.get(`swift containers ${ctx.source} ${ids.digest('hex')}`, () =>
    replay<Page>((put) => readContainers(swift, projects, ctx, put), { readers, patience: PATIENCE }),
  );
  for await (const { project, containers } of pages) {
    for (const container of containers) {
      const reading = containerReading(project, container, from);
      if (reading !== undefined) yield reading;
    }
  }
}

async function readContainers(
  { central, api }: Swift,
  projects: readonly Resource[],
  ctx: PollContext,
  put: (page: Page) => Promise<boolean>,
): Promise<void> {
  const answers = askEach(central, projects, ctx, {
    what: 'containers of Swift',
    // The first page now, the others when their turn comes.
    ask: async ({ id }) => {
      const pages = api.containers(id, ctx);
      return { pages, first: await pages.next() };
    },
  });
  for await (const [{ id }, { pages, first }] of answers) {
    for (let page = first; page.done !== true; page = await pages.next()) {
      if (!(await put({ project: id, containers: page.value }))) return;
    }
  }
}

type Polled = Parameters<Poll> extends [Swift, ...infer Rest] ? Rest : never;

function containerReading(project: string, container: JsonObject, from: string): Reading | undefined {
  const { name, storage_policy: policy = null } = container;
  const volume = numberOf(container[from]);
  if (typeof name !== 'string' || volume === undefined) return undefined;
  return {
    resourceId: `${project}/${name}`,
    volume,
    projectId: project,
    metadata: { storage_policy: policy },
  };
}
