/** The calls of libvirt's remote protocol that the agent makes (remote_protocol.x). */
import type { BlockInfo } from './inspector.ts';
import type { DomainRef } from './rpc.ts';
import { DOMAIN_LIST_MAX, DOMAIN_REF_SIZE, readDomainRef, STRING_MAX, writeDomainRef } from './rpc.ts';
import type { StatsReply } from './stats-decode.ts';
import { decodeStats } from './stats-decode.ts';
import type { XdrReader, XdrWriter } from './xdr.ts';

export interface Procedure<A, R> {
  readonly number: number;
  /** For messages to people. */
  readonly name: string;
  readonly write: (writer: XdrWriter, args: A) => void;
  readonly read: (reader: XdrReader) => R;
}

export const AUTH = { NONE: 0, SASL: 1, POLKIT: 2 } as const;
const AUTH_LIST_MAX = 20;

/** Numbers of what a server may be able to do (virConnectSupportsFeature). */
export const FEATURE = { PROGRAM_KEEPALIVE: 10, REMOTE_EVENT_CALLBACK: 14, REMOTE_CLOSE_CALLBACK: 15 } as const;

export const OPEN_READ_ONLY = 1;

/** Groups of statistics: state, cpu, balloon, vcpu, interface, block and perf. */
export const STATS_GROUPS = 1 | 2 | 4 | 8 | 16 | 32 | 64;
/** All but cpu, which takes an eighth of the time of all and tells little where there is vcpu. */
export const STATS_GROUPS_BULK = STATS_GROUPS & ~2;
/**
 * Those that QEMU's driver tells without asking the domain, so that they never wait for it: state, cpu, interface and
 * perf.
 */
export const STATS_GROUPS_UNASKED = 1 | 2 | 16 | 64;
/** Leaves out what needs the monitor of a domain that is busy, instead of waiting for it. */
export const STATS_NOWAIT = 0x2000_0000;

const nothing = (): void => undefined;

export const authList: Procedure<void, readonly number[]> = {
  number: 66,
  name: 'list of authentication types',
  write: nothing,
  read: (reader) => reader.array(AUTH_LIST_MAX, 4, () => reader.int()),
};

export const authPolkit: Procedure<void, boolean> = {
  number: 70,
  name: 'polkit authentication',
  write: nothing,
  read: (reader) => reader.int() !== 0,
};

export const open: Procedure<{ readonly name: string; readonly flags: number }, void> = {
  number: 1,
  name: 'open',
  write: (writer, { name, flags }) => {
    writer.optional(name, () => writer.string(name)).uint(flags);
  },
  read: nothing,
};

export const close: Procedure<void, void> = { number: 2, name: 'close', write: nothing, read: nothing };

export const supportsFeature: Procedure<number, boolean> = {
  number: 60,
  name: 'feature query',
  write: (writer, feature) => {
    writer.int(feature);
  },
  read: (reader) => reader.int() !== 0,
};

/** The version as 1000000·major + 1000·minor + release. */
export const libVersion: Procedure<void, bigint> = {
  number: 157,
  name: 'version query',
  write: nothing,
  read: (reader) => reader.uhyper(),
};

/** All domains, running and shut off. */
export const listAllDomains: Procedure<void, readonly DomainRef[]> = {
  number: 273,
  name: 'list of domains',
  write: (writer) => {
    const results = 1;
    const bothActiveAndInactive = 1 | 2;
    writer.int(results).uint(bothActiveAndInactive);
  },
  read: (reader) => {
    const domains = reader.array(DOMAIN_LIST_MAX, DOMAIN_REF_SIZE, () => readDomainRef(reader));
    reader.uint();
    return domains;
  },
};

/** The XML of a domain: live if it runs, else as it will start; without secrets. */
export const domainXml: Procedure<DomainRef, string> = {
  number: 14,
  name: 'XML of a domain',
  write: (writer, domain) => {
    writeDomainRef(writer, domain);
    writer.uint(0);
  },
  read: (reader) => reader.string(STRING_MAX),
};

export interface StatsQuery {
  /** Never empty: libvirt would answer for all domains. */
  readonly domains: readonly DomainRef[];
  readonly groups: number;
  readonly flags: number;
}

/** Statistics in bulk. A domain that libvirt does not know is left out of the reply. */
export const allDomainStats: Procedure<StatsQuery, StatsReply> = {
  number: 344,
  name: 'statistics in bulk',
  write: (writer, { domains, groups, flags }) => {
    writer
      .array(domains, (domain) => writeDomainRef(writer, domain))
      .uint(groups)
      .uint(flags);
  },
  read: decodeStats,
};

/** Asks for an event of all domains; answers with the id of the callback. */
export const registerDomainEvent: Procedure<number, number> = {
  number: 316,
  name: 'registration of an event',
  write: (writer, event) => {
    const ofAllDomains = false;
    writer.int(event).bool(ofAllDomains);
  },
  read: (reader) => reader.int(),
};

/** Asks to be told when the daemon loses its own connection to the driver, as a proxy in front of it may. */
export const registerCloseCallback: Procedure<void, void> = {
  number: 360,
  name: 'registration for the end of the driver',
  write: nothing,
  read: nothing,
};

/** What the image of one disk occupies, in bytes. */
export const blockInfo: Procedure<{ readonly domain: DomainRef; readonly device: string }, BlockInfo> = {
  number: 194,
  name: 'block info',
  write: (writer, { domain, device }) => {
    writeDomainRef(writer, domain);
    writer.string(device).uint(0);
  },
  read: (reader) => ({ allocation: reader.uhyper(), capacity: reader.uhyper(), physical: reader.uhyper() }),
};
