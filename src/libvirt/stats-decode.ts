/** The reply to virConnectGetAllDomainStats, decoded straight into {@link DomainStats}. */
import { monotonicSeconds } from '../sample.ts';
import { SHUT_OFF } from './domain-state.ts';
import type { DomainStats } from './inspector.ts';
import type { DomainRef } from './rpc.ts';
import { DOMAIN_LIST_MAX, DOMAIN_REF_SIZE, readDomainRef, STRING_MAX } from './rpc.ts';
import type { FieldSetter, MutableStats } from './stats-fields.ts';
import { fieldSetter, finishStats, newStats } from './stats-fields.ts';
import { XdrError, type XdrReader } from './xdr.ts';

export interface StatsRecord {
  /** As libvirt knows the domain now: its id may be another than it was. */
  readonly domain: DomainRef;
  readonly stats: DomainStats;
  /** False when QEMU's driver left out what needs the domain's monitor, because another job holds it. */
  readonly complete: boolean;
}

export interface StatsReply {
  readonly records: readonly StatsRecord[];
  /** What is wrong with the first record that could not be read; those after it are lost too. */
  readonly garbled?: string;
}

/** Most parameters that libvirt puts into one record. */
const PARAMS_MAX = 262_144;
/** The smallest parameter: an empty name, a type, a 32-bit value. */
const PARAM_SIZE = 12;

export function decodeStats(reader: XdrReader): StatsReply {
  const monotonicTime = monotonicSeconds();
  const count = reader.arrayLength(DOMAIN_LIST_MAX, DOMAIN_REF_SIZE + 4);
  const records: StatsRecord[] = [];
  try {
    for (let i = 0; i < count; i++) records.push(decodeRecord(reader, monotonicTime));
    return { records };
  } catch (error) {
    if (!(error instanceof XdrError)) throw error;
    reader.skipRest();
    return { records, garbled: error.message };
  }
}

function decodeRecord(reader: XdrReader, monotonicTime: number): StatsRecord {
  const domain = readDomainRef(reader);
  const stats = newStats(monotonicTime);
  const count = reader.arrayLength(PARAMS_MAX, PARAM_SIZE);
  for (let i = 0; i < count; i++) decodeValue(reader, stats, fieldSetter(reader.ascii(STRING_MAX)));
  // Without a process to look at, QEMU's driver gives the CPU time of libvirtd itself.
  if (stats.state === SHUT_OFF) delete stats.cpuTime;
  return { domain, stats: finishStats(stats), complete: isComplete(stats) };
}

/** False when QEMU's driver left out what needs the domain's monitor. */
export function isComplete({ balloon, state }: Pick<DomainStats, 'balloon' | 'state'>): boolean {
  // It reads this one together with what needs the monitor, whether or not the domain has a balloon.
  return balloon['rss'] !== undefined || state === SHUT_OFF;
}

/** Types of typed parameters. */
const TYPE = { INT: 1, UINT: 2, LLONG: 3, ULLONG: 4, DOUBLE: 5, BOOLEAN: 6, STRING: 7 } as const;
/** −1 in an unsigned counter: libvirt's word for "not supported". */
const ALL_ONES = 0xffff_ffff_ffff_ffffn;

function decodeValue(reader: XdrReader, stats: MutableStats, setter: FieldSetter | undefined): void {
  const type = reader.int();
  if (type === TYPE.STRING && setter?.text !== undefined) {
    setter.text(stats, reader.string(STRING_MAX));
    return;
  }
  const value = decodeNumber(reader, type);
  if (value !== undefined) setter?.number?.(stats, value);
}

/** Undefined for what is no count: a negative number, a fraction, a text. */
function decodeNumber(reader: XdrReader, type: number): bigint | undefined {
  switch (type) {
    case TYPE.INT: {
      const value = reader.int();
      return value < 0 ? undefined : BigInt(value);
    }
    case TYPE.UINT:
      return BigInt(reader.uint());
    case TYPE.LLONG: {
      const value = reader.hyper();
      return value < 0n ? undefined : value;
    }
    case TYPE.ULLONG: {
      const value = reader.uhyper();
      return value === ALL_ONES ? undefined : value;
    }
    case TYPE.DOUBLE:
      reader.double();
      return undefined;
    case TYPE.BOOLEAN:
      reader.int();
      return undefined;
    case TYPE.STRING:
      reader.skipString(STRING_MAX);
      return undefined;
    default:
      throw new XdrError(`typed parameter of unknown type ${type}`);
  }
}
