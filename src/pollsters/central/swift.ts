/** Swift: accounts, one for each project, and their containers. */
import type { Factory, Host, Meter, PollContext, Pollster, Reading, Resource } from '../../plugin.ts';
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
  const pollsters = (table: Readonly<Record<string, Row>>, poll: Poll) =>
    Object.entries(table).map(([name, row]) => [name, pollsterOf(centralOf, name, row, poll)] as const);
  return Object.fromEntries([...pollsters(accounts, pollAccounts), ...pollsters(containers, pollContainers)]);
}

function pollsterOf(centralOf: CentralOf, name: string, row: Row, poll: Poll): Factory<Pollster> {
  const meter: Meter = { name, type: 'gauge', unit: row.unit, help: row.help };
  return (host: Host) => {
    const central = centralOf(host);
    const service = central.services.swift;
    const api = service && createSwiftApi(service, host.config.default.resellerPrefix);
    return {
      meters: [meter],
      discovery: 'tenant',
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

async function* pollContainers({ central, api }: Swift, ...[projects, ctx, { from }]: Polled): Readings {
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
      for (const container of page.value) {
        const reading = containerReading(id, container, from);
        if (reading !== undefined) yield reading;
      }
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
