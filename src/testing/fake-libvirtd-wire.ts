/** Messages as libvirtd sends and reads them, and domains to put into them. */
import * as procedures from '../libvirt/procedures.ts';
import {
  DOMAIN_LIST_MAX,
  DOMAIN_REF_SIZE,
  type DomainRef,
  encodeMessage,
  KEEPALIVE_PROGRAM,
  MESSAGE_TYPE,
  type Message,
  PROTOCOL_VERSION,
  REMOTE_PROGRAM,
  readDomainRef,
  STATUS,
  STRING_MAX,
  writeDomainRef,
} from '../libvirt/rpc.ts';
import { XdrReader, XdrWriter } from '../libvirt/xdr.ts';

/** A value of a typed parameter: a bigint is unsigned, a negative one signed, a number 32 bits wide. */
export type ParamValue = bigint | number | string | boolean;

/** A domain as the fake server has it. Its maker sees to it that XML and statistics fit together. */
export interface FakeDomain extends DomainRef {
  readonly xml: string;
  /** By libvirt's names of parameters: `cpu.time`, `net.0.rx.bytes`, … */
  readonly stats: Readonly<Record<string, ParamValue>>;
  /** Counters that grow with each reading, all of them bigints of `stats`, and by how much. */
  readonly growth?: Readonly<Record<string, bigint>>;
}

/** A call that the server was sent. */
export interface FakeCall {
  /** The number of the procedure in libvirt's remote_protocol.x. */
  readonly procedure: number;
  /** The domains it names, if it names any. */
  readonly domains: readonly DomainRef[];
  /** The groups of statistics it asks for, 0 where there are none. */
  readonly groups: number;
  readonly flags: number;
}

/** A running domain with one vCPU, one disk and one interface. */
export function fakeDomain(index: number, overrides: Partial<FakeDomain> = {}): FakeDomain {
  const uuid = `00000000-0000-4000-8000-${index.toString(16).padStart(12, '0')}`;
  const name = overrides.name ?? `instance-${index.toString(16).padStart(8, '0')}`;
  const id = overrides.id ?? index + 1;
  const root = id < 0 ? "<domain type='qemu'>" : `<domain type='qemu' id='${id}'>`;
  const xml = `${root}\n  <name>${name}</name>\n  <uuid>${uuid}</uuid>\n</domain>\n`;
  return { uuid, xml, stats: plainStats(index), ...overrides, name, id };
}

function plainStats(index: number): Readonly<Record<string, ParamValue>> {
  return {
    'state.state': 1,
    'state.reason': 1,
    'cpu.time': 1_000_000_000n + BigInt(index),
    'balloon.current': 32_768n,
    'balloon.maximum': 32_768n,
    'balloon.rss': 45_000n,
    'vcpu.current': 1,
    'vcpu.maximum': 1,
    'vcpu.0.time': 900_000_000n,
    'vcpu.0.wait': 5n,
    'net.count': 1,
    'net.0.name': `tap${index}`,
    'net.0.rx.bytes': 90n,
    'block.count': 1,
    'block.0.name': 'vda',
    'block.0.rd.reqs': 7n,
  };
}

export function decodeCall(message: Message): FakeCall {
  const reader = new XdrReader(message.payload);
  const { procedure } = message;
  switch (procedure) {
    case procedures.domainXml.number:
      return { procedure, domains: [readDomainRef(reader)], groups: 0, flags: reader.uint() };
    case procedures.blockInfo.number: {
      const domains = [readDomainRef(reader)];
      reader.string(STRING_MAX);
      return { procedure, domains, groups: 0, flags: reader.uint() };
    }
    case procedures.allDomainStats.number: {
      const domains = reader.array(DOMAIN_LIST_MAX, DOMAIN_REF_SIZE, () => readDomainRef(reader));
      return { procedure, domains, groups: reader.uint(), flags: reader.uint() };
    }
    default:
      return { procedure, domains: [], groups: 0, flags: 0 };
  }
}

/** The reply to a call, for reactions that need its bytes. */
export function reply({ procedure, serial }: Message, write?: (writer: XdrWriter) => void): Buffer {
  return encodeMessage({ ...frame, type: MESSAGE_TYPE.REPLY, procedure, serial, status: STATUS.OK }, write);
}

export function errorReply({ procedure, serial }: Message, number: number, message: string): Buffer {
  const header = { ...frame, type: MESSAGE_TYPE.REPLY, procedure, serial, status: STATUS.ERROR };
  return encodeMessage(header, (writer) => writeError(writer, number, message));
}

const frame = { program: REMOTE_PROGRAM, version: PROTOCOL_VERSION };

/** The payload of an error. */
function writeError(writer: XdrWriter, number: number, message: string): void {
  const domain = 10;
  const level = 2;
  writer
    .int(number)
    .int(domain)
    .optional(message, () => writer.string(message))
    .int(level);
  for (let none = 0; none < 4; none++) writer.bool(false);
  writer.int(0).int(0).bool(false);
}

export function event(procedure: number, write: (writer: XdrWriter) => void): Buffer {
  return encodeMessage({ ...frame, type: MESSAGE_TYPE.EVENT, procedure, serial: 0, status: STATUS.OK }, write);
}

export function domainEvent(procedure: number, domain: DomainRef, numbers: readonly number[]): Buffer {
  const [kind = 0, detail = 0] = numbers;
  return event(procedure, (writer) => {
    const callback = 1;
    writer.int(callback);
    writeDomainRef(writer, domain);
    // Event and detail of lifecycle events; nobody reads a device's alias or a metadata's type.
    writer.int(kind).int(detail);
  });
}

export function keepAlive(procedure: number): Buffer {
  const header = { program: KEEPALIVE_PROGRAM, version: PROTOCOL_VERSION, type: MESSAGE_TYPE.EVENT };
  return encodeMessage({ ...header, procedure, serial: 0, status: STATUS.OK });
}

/** A record as it goes into replies, and where in it the counters are that grow. */
interface StatsRecord {
  readonly bytes: Buffer;
  /** Where the number of its parameters is, and the parameters with the groups that they belong to. */
  readonly countAt: number;
  readonly params: readonly { readonly from: number; readonly to: number; readonly group: number }[];
  readonly counters: readonly { readonly at: number; readonly step: bigint }[];
}

/** Made once for each domain object: a server of thousands of domains should cost less than who asks it. */
const records = new WeakMap<FakeDomain, StatsRecord>();

function makeRecord(domain: FakeDomain): StatsRecord {
  const writer = new XdrWriter();
  const counters: { at: number; step: bigint }[] = [];
  const params: { from: number; to: number; group: number }[] = [];
  writeDomainRef(writer, domain);
  const countAt = writer.length;
  writer.array(Object.entries(domain.stats), ([name, value]) => {
    const from = writer.length;
    writer.string(name);
    if (typeof value === 'string') writer.int(7).string(value);
    else if (typeof value === 'boolean') writer.int(6).int(value ? 1 : 0);
    else if (typeof value === 'number') writer.int(value < 0 ? 1 : 2).int(value);
    else if (value < 0n) writer.int(3).hyper(value);
    else {
      const step = domain.growth?.[name];
      if (step !== undefined) counters.push({ at: writer.length + 4, step });
      writer.int(4).uhyper(value);
    }
    params.push({ from, to: writer.length, group: GROUPS[name.split('.', 1)[0] ?? ''] ?? ALL_GROUPS });
  });
  return { bytes: writer.finish(), countAt, params, counters };
}

/** virDomainStatsTypes by the beginning of the names of their parameters. */
const GROUPS: Readonly<Record<string, number>> = {
  state: 1,
  cpu: 2,
  balloon: 4,
  vcpu: 8,
  net: 16,
  block: 32,
  perf: 64,
};
const ALL_GROUPS = 127;

/** What is left of a record that only some groups are asked of. */
function ofGroups({ bytes, countAt, params }: StatsRecord, groups: number): Buffer {
  const kept = params.filter(({ group }) => (group & groups) !== 0);
  if (kept.length === params.length) return bytes;
  const head = Buffer.from(bytes.subarray(0, countAt + 4));
  head.writeUInt32BE(kept.length, countAt);
  return Buffer.concat([head, ...kept.map(({ from, to }) => bytes.subarray(from, to))]);
}

/** The domain's record as it is now; its counters grow with it. */
function nextRecord(domain: FakeDomain, groups: number): Buffer {
  const record = getOrMake(domain);
  const { bytes, counters } = record;
  for (const { at, step } of counters) {
    bytes.writeBigUInt64BE(BigInt.asUintN(64, bytes.readBigUInt64BE(at) + step), at);
  }
  return ofGroups(record, groups);
}

function getOrMake(domain: FakeDomain): StatsRecord {
  let record = records.get(domain);
  if (record === undefined) {
    record = makeRecord(domain);
    records.set(domain, record);
  }
  return record;
}

/**
 * The payload of a reply to the statistics call, for reactions that need one of their own. Left out, `groups` are all.
 */
export function statsPayload(domains: readonly FakeDomain[], groups = ALL_GROUPS): Buffer {
  const count = Buffer.alloc(4);
  count.writeUInt32BE(domains.length);
  return Buffer.concat([count, ...domains.map((domain) => nextRecord(domain, groups))]);
}
