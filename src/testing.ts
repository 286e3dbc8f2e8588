/**
 * The test kit for plugin authors: a host without services, a way to collect what a pollster yields, and the contract
 * that every plugin has to keep, those of this package included.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { createCycleCache } from './agent/cycle-cache.ts';
import { eachReading } from './agent/readings.ts';
import { createStamp, isMeter } from './agent/stamp.ts';
import { loadConfig, type Overrides } from './config/load.ts';
import { AgentError, codeOf, describeError, ServiceError } from './errors.ts';
import { type Budget, createBudget } from './openstack/budget.ts';
import type {
  Discovery,
  Host,
  KeptState,
  Logger,
  OpenStackService,
  OpenStackSession,
  Plugin,
  PollContext,
  Pollster,
  Resource,
  VirtInspector,
} from './plugin.ts';
import type { Sample } from './sample.ts';
import { brokenNotificationRules, type NotificationContractOptions } from './testing/notification-contract.ts';
import { systemClock } from './util/clock.ts';
import { withLists } from './util/json-pieces.ts';
import { untilAborted } from './util/scope.ts';

export {
  type FakeCall,
  type FakeDomain,
  type FakeLibvirtd,
  type FakeOptions,
  fakeDomain,
  type ParamValue,
  type Reaction,
  startFakeLibvirtd,
  statsPayload,
} from './testing/fake-libvirtd.ts';
export {
  fakeNotification,
  type NotificationContractOptions,
  type NotificationFields,
} from './testing/notification-contract.ts';
export { novaDomain } from './testing/nova-domain.ts';

export interface LogLine {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly fields: object;
  readonly message: string;
}

export interface FakeHostOptions {
  readonly hostname?: string;
  /** Options by their names in `config`: `{ polling: { batchSize: 10 } }`. */
  readonly options?: Overrides;
  /** As the environment says them, for groups of plugins: `{ OS_ACME__DEVICE: '/dev/ttyS0' }`. */
  readonly env?: Readonly<Record<string, string>>;
  /** Who answers for the hypervisor; without one every question is a {@link ServiceError}. */
  readonly inspector?: VirtInspector;
  /** Who answers for OpenStack; without one every question is a {@link ServiceError}. */
  readonly openstack?: OpenStackSession;
  /** What is kept by name: hand the map to a second host to test what survives a restart. */
  readonly states?: Map<string, () => unknown>;
}

export interface FakeHost extends Host {
  readonly budget: Budget;
  /** What was logged so far. */
  readonly lines: readonly LogLine[];
}

/** A host of the default configuration, changed by `options`, that keeps what is logged. */
export function fakeHost(options: FakeHostOptions = {}): FakeHost {
  const lines: LogLine[] = [];
  const note = (level: LogLine['level']) => (fields: object, message: string) => {
    lines.push({ level, fields, message });
  };
  const log: Logger = { debug: note('debug'), info: note('info'), warn: note('warn'), error: note('error') };
  const { hostname = 'test-host', states = new Map<string, () => unknown>() } = options;
  const { config } = loadConfig({
    files: [],
    dirs: [],
    env: options.env ?? {},
    overrides: { ...options.options, default: { host: hostname, ...options.options?.default } },
  });
  return {
    hostname,
    config,
    log,
    lines,
    inspector: () => options.inspector ?? noHypervisor,
    openstack: () => options.openstack ?? noCloud,
    budget: createBudget({ ...config.polling, clock: systemClock }),
    state: memoryOf(states),
  };
}

/** As the agent: what is loaded is what a snapshot says at that time. */
function memoryOf(states: Map<string, () => unknown>): (name: string) => KeptState {
  return (name) => ({
    load: async () => withLists(states.get(name)?.()),
    save: (snapshot) => void states.set(name, snapshot),
  });
}

const noHypervisor: VirtInspector = {
  domains: () => Promise.reject(new ServiceError('the fake host has no hypervisor')),
  stats: () => Promise.reject(new ServiceError('the fake host has no hypervisor')),
  blockInfo: () => Promise.reject(new ServiceError('the fake host has no hypervisor')),
  connections: 0,
  close: () => Promise.resolve(),
};

const away = () => Promise.reject(new ServiceError('the fake host has no OpenStack'));

const noService: OpenStackService = {
  request: away,
  get: away,
  // biome-ignore lint/correctness/useYield: it fails before the first page.
  async *pages() {
    await away();
  },
  endpoint: away,
};

const noCloud: OpenStackSession = {
  service: () => noService,
  endpoints: away,
  catalogue: away,
  identity: away,
  close: () => Promise.resolve(),
};

export interface PollOptions {
  readonly signal?: AbortSignal;
  readonly source?: string;
  readonly host?: Host;
}

/** A context of one cycle, as the agent hands it to a pollster. */
export function pollContext(options: PollOptions = {}): PollContext {
  const { signal = new AbortController().signal, source = 'test', host = fakeHost() } = options;
  return { signal, source, cache: createCycleCache(), log: host.log };
}

/** Polls once and returns the samples that the agent would make. Throws where a reading is not one. */
export async function collect<R extends Resource>(
  pollster: Pollster<R>,
  resources: readonly R[],
  ctx: PollContext = pollContext(),
): Promise<readonly Sample[]> {
  const stamp = createStamp({
    sampleSource: 'openstack',
    pollingSource: ctx.source,
    slot: 0,
    time: Date.now(),
    meter: pollster.meters[0],
  });
  const samples: Sample[] = [];
  for await (const reading of eachReading(await pollster.poll(resources, ctx))) {
    const sample = stamp.make(reading);
    if (typeof sample === 'string') throw new AgentError('ERR_CONTRACT', sample);
    samples.push(sample);
  }
  return samples;
}

export interface ContractOptions extends NotificationContractOptions {
  readonly host?: Host;
  /** Resources for pollsters whose discovery is not in the plugin itself. */
  readonly resources?: readonly Resource[];
}

/**
 * Puts every member of a plugin through what the agent relies on. Rejects with one `ERR_CONTRACT` error that lists
 * each broken rule: a factory opens nothing; meters are declared and no other is yielded; a poll ends with readings or
 * with an error of a known code; a poll whose signal has aborted ends within a second; nothing stays open.
 *
 * An endpoint makes samples that JSON can carry, with the same ids each time, changes nothing of the notification, and
 * throws nothing but errors; a trait plugin gives a list for any fields; a publisher says by a ConfigError that a URL
 * is wrong, never shows a password, and lets go when the signal has aborted and when it is closed.
 */
export async function checkPlugin(plugin: Plugin, options: ContractOptions = {}): Promise<void> {
  const host = options.host ?? fakeHost();
  const broken: string[] = [];
  if (plugin.api !== 1) broken.push(`api: expected 1, got ${JSON.stringify(plugin.api)}`);
  const before = openHandles();
  for (const [namespace, factories] of Object.entries(plugin.pollsters ?? {})) {
    const discoveries = await makeDiscoveries(plugin, namespace, host, broken);
    for (const [name, factory] of Object.entries(factories)) {
      const complain = (fault: string) => broken.push(`${namespace} ${name}: ${fault}`);
      if (!/^[A-Za-z0-9_.-]+$/.test(name)) complain('expected a name of letters, digits, ".", "_" and "-"');
      try {
        const pollster = await factory(host);
        if (openHandles() > before) complain('its factory opens something; connect on the first poll');
        await checkPollster(pollster, discoveries, options, host, complain);
      } catch (err) {
        if (!isKnown(err)) complain(`its factory throws ${describeError(err)}`);
      }
    }
  }
  broken.push(...(await brokenNotificationRules(plugin, { host, options, openHandles })));
  // What was closed needs a turn of the event loop to be gone.
  for (let tries = 0; tries < 20 && openHandles() > before; tries += 1) await sleep(50);
  if (openHandles() > before) broken.push(`${openHandles() - before} timers, sockets or processes stay open`);
  if (broken.length > 0) throw new AgentError('ERR_CONTRACT', `plugin ${plugin.name}: ${broken.join('; ')}`);
}

async function makeDiscoveries(
  plugin: Plugin,
  namespace: string,
  host: Host,
  broken: string[],
): Promise<Map<string, Discovery>> {
  const discoveries = new Map<string, Discovery>();
  for (const [name, factory] of Object.entries(plugin.discoveries?.[namespace] ?? {})) {
    try {
      discoveries.set(name, await factory(host));
    } catch (err) {
      if (!isKnown(err)) broken.push(`${namespace} ${name}: its factory throws ${describeError(err)}`);
    }
  }
  return discoveries;
}

async function checkPollster(
  pollster: Pollster,
  discoveries: ReadonlyMap<string, Discovery>,
  options: ContractOptions,
  host: Host,
  complain: (fault: string) => void,
): Promise<void> {
  if (!pollster.meters.every(isMeter)) complain('expected its meters to be { name, type, unit }');
  const declared = new Set(pollster.meters.map(({ name }) => name));
  try {
    const ctx = pollContext({ host });
    const [scheme = '', parameter] = (pollster.discovery ?? '').split('://');
    const discovered = await discoveries.get(scheme)?.discover(parameter, ctx);
    const resources = discovered ?? options.resources ?? [{ id: 'test-resource' }];
    for (const sample of await collect(pollster, resources, ctx)) {
      if (declared.size > 0 && !declared.has(sample.name)) complain(`yields ${sample.name}, which it does not declare`);
    }
    await checkAborted(pollster, resources, host, complain);
  } catch (err) {
    if (!isKnown(err)) complain(describeError(err));
  }
}

async function checkAborted(
  pollster: Pollster,
  resources: readonly Resource[],
  host: Host,
  complain: (fault: string) => void,
): Promise<void> {
  const ctx = pollContext({ host, signal: AbortSignal.abort() });
  const patience = AbortSignal.timeout(1000);
  try {
    await untilAborted(collect(pollster, resources, ctx), patience);
  } catch {
    if (patience.aborted) complain('a poll whose signal has aborted goes on for more than a second');
  }
}

function isKnown(err: unknown): boolean {
  const code = codeOf(err);
  return code !== undefined && code !== 'ERR_CONTRACT' && code.startsWith('ERR_');
}

/** Timers that do not keep the process alive, and this thread's own pipes, do not count. */
function openHandles(): number {
  return process.getActiveResourcesInfo().filter((kind) => !/^(Pipe|TTY|FSReq|MessagePort|CloseReq)/.test(kind)).length;
}
