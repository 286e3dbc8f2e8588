/**
 * Everything a plugin author needs. A plugin is a typed object: pollsters and discoveries by polling namespace.
 * The agent wraps each pollster with what all of them need: time stamps, ids, deadlines, error handling, counting.
 */
import type { Config } from './config/options.ts';
import type { VirtInspector } from './libvirt/inspector.ts';
import type { Event, Notification, NotificationSample, TraitPlugin } from './notification.ts';
import type { RequestBudget } from './openstack/budget.ts';
import type { OpenStackSession } from './openstack/session.ts';
import type { Metadata, SampleType } from './sample.ts';
import type { JsonObject } from './wire/value.ts';

export {
  AgentError,
  ConfigError,
  DeadlineError,
  DeliveryError,
  NoDataError,
  PermanentPollError,
  PluginLoadError,
  ServiceError,
} from './errors.ts';
export type {
  Event,
  FoundField,
  Notification,
  NotificationSample,
  Trait,
  TraitPlugin,
  TraitType,
} from './notification.ts';
export { createIds, createSampleMaker, type SampleFields, type SampleMaker } from './notifications/sample.ts';
export type { RequestBudget } from './openstack/budget.ts';
export type { Catalogue, Endpoint } from './openstack/catalogue.ts';
export { ApiError, ConnectionError, NoEndpointError, statusOf } from './openstack/errors.ts';
export type { HttpResponse, Method } from './openstack/http.ts';
export type { OpenStackService, RequestOptions } from './openstack/service.ts';
export type { Identity, OpenStackSession, ServiceOptions } from './openstack/session.ts';
export type { Metadata, MetadataValue, Sample, SampleType } from './sample.ts';
export { type JsonObject, type JsonValue, WholeFloat } from './wire/value.ts';
export type { Config, VirtInspector };

/** What a meter measures. `unit` is Ceilometer's word for it, e.g. `B`, `ns`, `packet`; empty where there is none. */
export interface Meter {
  readonly name: string;
  readonly type: SampleType;
  readonly unit: string;
  /** Volumes are fractions in principle: 2 goes out as `2.0`. Left out, a whole number goes out as an integer. */
  readonly float?: true;
  /** What is measured and where the number comes from: plain text for docs/meters.md. */
  readonly help?: string;
}

/** One value of one resource, as a pollster read it. The agent makes a {@link Sample} of it. */
export interface Reading {
  readonly resourceId: string;
  /** Finite. A bigint where the source counts in 64 bits. To say "not known", yield no reading. */
  readonly volume: number | bigint;
  readonly metadata?: Metadata;
  readonly projectId?: string | null;
  readonly projectName?: string | null;
  readonly userId?: string | null;
  readonly userName?: string | null;
  /** Seconds on CLOCK_MONOTONIC when the value was read, where that is not now. */
  readonly monotonicTime?: number;
  /** Which meter this is, for a pollster that has several. Left out, it is the pollster's first. */
  readonly meter?: Meter;
}

/** Whatever a discovery finds. `id` is its identity for partitioning, de-duplication and leaving out. */
export interface Resource {
  readonly id: string;
}

/** Values computed at most once per polling cycle; concurrent callers of one key share one promise, a failure too. */
export interface CycleCache {
  get<T>(key: string, load: () => T | Promise<T>): Promise<T>;
}

/** Messages are constant, data goes into fields: `log.warn({ device }, 'sensor did not answer')`. */
export interface Logger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/**
 * What a plugin remembers under a name: from one run of the agent to the next where `[DEFAULT] state_path` names a
 * directory, and over a reload of the configuration in any case. It may be lost, and after a crash it may be a polling
 * interval old, so it must not be needed.
 */
export interface KeptState {
  /**
   * What was kept last, as `JSON.parse` gives it; undefined when there is nothing. Check it: another version of the
   * plugin may have written it. Call it at the first poll, not in a factory. Never rejects.
   */
  load(): Promise<unknown>;
  /**
   * Tells that there is something new to keep. `snapshot` is called when it is written, some seconds later at the most
   * and at the end, or when a reload hands it over; it answers at once with what JSON can carry (a bigint as text). In
   * the place of a long list it may have an iterable of such values, which is walked while polling goes on.
   */
  save(snapshot: () => unknown): void;
}

/** Lives as long as the agent. Services connect on first use, so an agent pays only for what its plugins ask for. */
export interface Host {
  /** This agent's name in samples: `[DEFAULT] host`. */
  readonly hostname: string;
  readonly config: Config;
  readonly log: Logger;
  /** The hypervisor of this machine. Making it does no I/O; each of its methods connects when it has to. */
  inspector(): VirtInspector;
  /**
   * OpenStack as `[service_credentials]` see it, one session for all plugins. Making it does no I/O. Throws
   * `ERR_CONFIG` when the credentials are missing or incomplete.
   */
  openstack(): OpenStackSession;
  /** For requests to other services; those of the session are counted there. */
  readonly budget: RequestBudget;
  /** Opens nothing. `name` is of letters, digits, `.`, `_` and `-`, and begins with the plugin's name. */
  state(name: string): KeptState;
}

/** Lives as long as one cycle. */
export interface PollContext {
  /** Aborts at the deadline and on forced shutdown. Pass it to everything that waits. */
  readonly signal: AbortSignal;
  readonly cache: CycleCache;
  readonly log: Logger;
  /** The name of the polling source, for a pollster that keeps state between its polls. */
  readonly source: string;
  /**
   * How many pollsters of the source read `together` with this one, itself included; left out where that is not known.
   */
  readonly readers?: number;
}

/**
 * What a poll yields, pulled one by one. Readings that are there already cost less without a promise each: a poll that
 * waits now and then yields iterables of those that have come in between.
 */
export type Readings = AsyncIterable<Reading | Iterable<Reading>> | Iterable<Reading>;

export interface Pollster<R extends Resource = Resource> {
  /** The meters it can yield, for listings and checks; empty when they are known only at run time. */
  readonly meters: readonly Meter[];
  /**
   * Used when the source in polling.yaml names no discovery and no resources: `local_instances`, `endpoint://image`.
   */
  readonly discovery?: string;
  /** It needs no view of all resources: `poll` may be called for a page of them after the other. */
  readonly pagewise?: true;
  /**
   * Names what it reads bit by bit together with other pollsters of its source, through the cycle's cache: those of one
   * name run side by side and take one place of `[polling] threads_to_process_pollsters`. So do pollsters that read the
   * same pages of a discovery.
   */
  readonly together?: string;
  /**
   * It asks for nothing by itself: what it reads is asked for once a cycle, for all that need it. Any number of such
   * pollsters wait side by side then, whatever `[polling] threads_to_process_pollsters` says.
   */
  readonly shared?: true;
  /**
   * Yields the readings of the resources, which are never empty. Called at most once per cycle and source, and not
   * again before it has ended; different pollsters run side by side. The agent pulls the next reading only when it
   * has room. Throw {@link PermanentPollError} for resources that the driver does not support; after any other error
   * the next cycle tries again, and what was yielded before it counts.
   */
  poll(resources: readonly R[], ctx: PollContext): Readings | Promise<Readings>;
}

/** An occasion on which a resource has to be polled at once, since it will not be the same in its next slot. */
export interface Edge<R extends Resource = Resource> {
  /** Names the occasion: no other one of this resource has it, ever. It becomes part of the ids of the samples. */
  readonly key: string;
  readonly resource: R;
  /** What the polls find in their cycle cache, for values that can be read only now. */
  readonly known?: ReadonlyMap<string, unknown>;
  /**
   * Wall-clock milliseconds for the time stamps, where the values were read before. Sources that read them in their own
   * last cycle leave such an edge out.
   */
  readonly time?: number;
}

export interface Discovery<R extends Resource = Resource> {
  /** Agents whose discovery returns the same set share a group; null keeps a local discovery out of partitioning. */
  readonly group: string | null;
  /**
   * Finds resources, at most once per cycle and parameter. Called before the pollsters that use it. Throws when it
   * does not know: an empty list means that there are none.
   */
  discover(parameter: string | undefined, ctx: PollContext): Promise<readonly R[]>;
  /**
   * Finds the same, a page at a time, where there may be more than memory should hold. Asked in place of `discover`,
   * once a cycle: pollsters that are `pagewise` poll each page before the next is fetched. What is in two pages counts
   * once.
   */
  pages?(parameter: string | undefined, ctx: PollContext): AsyncIterable<readonly R[]>;
  /**
   * Reports edges of its resources until `signal` aborts. Called once, when an agent begins to poll on the grid, and
   * answers at once. For each edge the agent runs the pollsters that are fed by this discovery on that one resource:
   * one edge after the other, after the cycle in hand, with a deadline. What one resource reports too often is left
   * out and told.
   */
  watch?(report: (edge: Edge<R>) => void, signal: AbortSignal): void;
}

/** Makes samples of notifications, of the priorities `info` and `sample`. */
export interface NotificationEndpoint {
  /**
   * Regular expressions in Python's dialect; one has to match at the start of the event type, as oslo.messaging has it:
   * `compute.instance.*`. Empty asks for every notification.
   */
  readonly eventTypes: readonly string[];
  /**
   * The samples of one notification; never waits. What it throws fails the notification, for this and all endpoints
   * after it, and sends it to the dead letters: leave out with a log line what merely has nothing to say.
   */
  process(notification: Notification): Iterable<NotificationSample>;
}

/** A publisher's URL in a pipeline file, taken apart as Python's `urlsplit` does: nothing is decoded or normalised. */
export interface PublisherUrl {
  /** As written, for messages; without a password. */
  readonly shown: string;
  readonly scheme: string;
  /** `user:password@host:port`, or empty. */
  readonly authority: string;
  readonly path: string;
  readonly fragment: string;
  /** Options in the order written, decoded; one without a value has an empty one. */
  readonly options: readonly (readonly [name: string, value: string])[];
}

/**
 * Takes what the pipelines select to the next hop. A method that is missing means that the URL cannot stand in the
 * pipelines of that kind. Calls overlap; those of one notification come in order.
 */
export interface Publisher {
  /**
   * Set where it has read all that it needs of a batch by the time it returns its promise. The agent then need not keep
   * what the batch is made of, and makes it again for another try.
   */
  readonly readsAtOnce?: true;
  /**
   * Settles when the next hop has all of the batch, which is never empty. Rejects with {@link DeliveryError} to say
   * whether to try again; any other error is tried again. The notification is acknowledged only after that.
   */
  publishSamples?(batch: readonly NotificationSample[], signal: AbortSignal): Promise<void>;
  publishEvents?(batch: readonly Event[], signal: AbortSignal): Promise<void>;
  /** Called once, when nothing is being published. */
  close(): Promise<void>;
}

/** Throws {@link ConfigError} for a URL or option that is wrong, naming it; does no I/O that could fail for now. */
export type PublisherFactory = (url: PublisherUrl, host: Host) => Publisher | Promise<Publisher>;

/** Called once per agent and plugin member, before the first poll. No I/O: a service that is down now may come up. */
export type Factory<T> = (host: Host) => T | Promise<T>;

/** What one package adds. The outer keys are polling namespaces, the inner ones names. */
export interface Plugin {
  readonly api: 1;
  readonly name: string;
  readonly pollsters?: Readonly<Record<string, Readonly<Record<string, Factory<Pollster>>>>>;
  readonly discoveries?: Readonly<Record<string, Readonly<Record<string, Factory<Discovery>>>>>;
  /** By name. All of them are active unless `[notification] endpoints` says otherwise. */
  readonly endpoints?: Readonly<Record<string, Factory<NotificationEndpoint>>>;
  /** By the name that definition files have; the factory gets their `parameters` and throws when these are wrong. */
  readonly traits?: Readonly<Record<string, (parameters: JsonObject) => TraitPlugin>>;
  /** By URL scheme. */
  readonly publishers?: Readonly<Record<string, PublisherFactory>>;
}

/** Checks the shape while you write; returns its argument. */
export function definePlugin(plugin: Plugin): Plugin {
  return plugin;
}

/** A pollster of one meter as a plain object, for the common case that needs nothing of the host at creation. */
export function definePollster<R extends Resource = Resource>(
  meter: Meter,
  pollster: Omit<Pollster<R>, 'meters'>,
): Factory<Pollster> {
  const made: Pollster<R> = { meters: [meter], ...pollster };
  return () => made as Pollster<never> as Pollster;
}
