/** Ceph's object store: what the RADOS gateway tells of the buckets and requests of each project. */
import { ServiceError } from '../../errors.ts';
import type { Factory, Meter, PollContext, Pollster, Reading } from '../../plugin.ts';
import { isList, isObject, type JsonObject, type JsonValue } from '../../wire/value.ts';
import { askEach } from './ask-each.ts';
import { askedOf, type Central, type CentralOf } from './central.ts';
import { listIn, numberOf, objectIn, textIn } from './fields.ts';
import type { Pollsters } from './item-pollsters.ts';
import { createGatewayApi, type GatewayApi } from './rados-gateway-api.ts';

/** A part of a bucket, `rgw.main` say. */
interface Part {
  readonly bucket: string;
  readonly objects: bigint;
  readonly kilobytes: bigint;
}

interface Buckets {
  readonly count: number;
  readonly parts: readonly Part[];
}

interface Row<A> extends Omit<Meter, 'type' | 'name'> {
  /** Where the meter is not called like its pollster. */
  readonly meter?: string;
  /** The volumes of a project, with the bucket where they are of one. */
  read(answer: A): readonly (readonly [volume: number | bigint, bucket?: string])[];
}

const buckets: Readonly<Record<string, Row<Buckets>>> = {
  'radosgw.objects': {
    unit: 'object',
    help: 'Number of objects of the project.',
    read: ({ parts }) => [[sum(parts.map(({ objects }) => objects))]],
  },
  'radosgw.objects.size': {
    unit: 'B',
    help: 'Bytes of all its objects.',
    read: ({ parts }) => [[sum(parts.map(({ kilobytes }) => kilobytes)) * 1024n]],
  },
  'radosgw.objects.containers': { unit: 'object', help: 'Number of its buckets.', read: ({ count }) => [[count]] },
  'radosgw.containers.objects': {
    unit: 'object',
    help: 'Number of objects in the bucket; a sample for each part of it that the gateway counts.',
    read: ({ parts }) => parts.map(({ objects, bucket }) => [objects, bucket]),
  },
  'radosgw.containers.objects.size': {
    unit: 'B',
    help: 'Bytes of all its objects; a sample for each part of it that the gateway counts.',
    read: ({ parts }) => parts.map(({ kilobytes, bucket }) => [kilobytes * 1024n, bucket]),
  },
};

const usage: Readonly<Record<string, Row<bigint>>> = {
  'radosgw.usage': {
    meter: 'radosgw.api.request',
    unit: 'request',
    help: 'Number of requests of the project that the gateway has logged. Its pollster is `radosgw.usage`.',
    read: (requests) => [[requests]],
  },
};

interface Question<A> {
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  readonly parse: (answer: JsonValue | undefined) => A;
}

const askBuckets: Question<Buckets> = { path: 'bucket', query: { stats: 'true' }, parse: parseBuckets };
const askUsage: Question<bigint> = { path: 'usage', query: {}, parse: parseUsage };

export function gatewayPollsters(centralOf: CentralOf): Pollsters {
  const apis = new WeakMap<Central, Gateway>();
  const gatewayOf = (central: Central) => {
    const gateway = apis.get(central) ?? createGateway(central);
    apis.set(central, gateway);
    return gateway;
  };
  const pollsters = <A>(table: Readonly<Record<string, Row<A>>>, question: Question<A>) =>
    Object.entries(table).map(([name, row]): [string, Factory<Pollster>] => [
      name,
      (host) => pollsterOf(gatewayOf(centralOf(host)), { name: row.meter ?? name, row, question }),
    ]);
  return Object.fromEntries([...pollsters(buckets, askBuckets), ...pollsters(usage, askUsage)]);
}

interface Gateway {
  readonly central: Central;
  readonly api: GatewayApi | undefined;
}

function createGateway(central: Central): Gateway {
  const { config } = central.host;
  const { accessKey = '', secretKey = '' } = config.rgwAdminCredentials;
  const api = central.session && createGatewayApi(central.host, central.session, { accessKey, secretKey });
  if (api === undefined || (accessKey !== '' && secretKey !== '')) return { central, api };
  central.host.log.warn({}, '[rgw_admin_credentials] are not set, the RADOS gateway is left out');
  return { central, api: undefined };
}

interface Polled<A> {
  readonly name: string;
  readonly row: Row<A>;
  readonly question: Question<A>;
}

function pollsterOf<A>({ central, api }: Gateway, { name, row, question }: Polled<A>): Pollster {
  const { unit, help } = row;
  const { implicitTenants } = central.host.config.rgwClient;

  function ask(project: string, gateway: GatewayApi, { cache, signal }: PollContext): Promise<A> {
    const { path, query, parse } = question;
    const uid = implicitTenants ? `${project}$${project}` : project;
    return cache.get(`rados gateway ${path} ${uid}`, async () =>
      parse(await gateway.get(path, { ...query, uid }, signal)),
    );
  }

  return {
    meters: [{ name, type: 'gauge', unit, ...(help && { help }) }],
    discovery: 'tenant',
    async *poll(projects, ctx): AsyncGenerator<Reading> {
      if (api === undefined) return;
      const url = await askedOf(central, 'RADOS gateway', () => api.endpoint(ctx.signal));
      if (url === undefined) return;
      // A project that never used the gateway is no user of it.
      const answers = askEach(central, projects, ctx, {
        what: `${question.path} of RADOS gateway`,
        mayVanish: true,
        ask: ({ id }) => ask(id, api, ctx),
      });
      for await (const [{ id }, answer] of answers) {
        for (const [volume, bucket] of row.read(answer)) {
          yield { resourceId: bucket === undefined ? id : `${id}/${bucket}`, volume, projectId: id };
        }
      }
    },
  };
}

function parseBuckets(answer: JsonValue | undefined): Buckets {
  if (answer === undefined) return { count: 0, parts: [] };
  if (!isList(answer)) throw new ServiceError('RADOS gateway: the buckets are no list');
  const found = answer.filter(isObject);
  return { count: found.length, parts: found.flatMap(partsOf) };
}

function partsOf(bucket: JsonObject): Part[] {
  const name = textIn(bucket, 'bucket');
  if (name === undefined) return [];
  return Object.values(objectIn(bucket, 'usage') ?? {})
    .filter(isObject)
    .map((part) => ({ bucket: name, objects: integerIn(part, 'num_objects'), kilobytes: integerIn(part, 'size_kb') }));
}

function parseUsage(answer: JsonValue | undefined): bigint {
  if (answer === undefined || !isObject(answer)) return 0n;
  const totals = listIn(answer, 'summary').map((entry) => (isObject(entry) ? objectIn(entry, 'total') : undefined));
  return sum(totals.map((total) => integerIn(total ?? {}, 'ops')));
}

function integerIn(object: JsonObject, key: string): bigint {
  const number = numberOf(object[key]) ?? 0;
  return typeof number === 'bigint' ? number : BigInt(Math.trunc(number));
}

function sum(numbers: readonly bigint[]): bigint {
  return numbers.reduce((total, number) => total + number, 0n);
}
