/** What the notification agent relies on, of endpoints, trait plugins and publishers; part of `checkPlugin`. */
import { setTimeout as sleep } from 'node:timers/promises';
import { AgentError, codeOf, describeError } from '../errors.ts';
import type { Event, FoundField, Notification, NotificationSample, TraitPlugin } from '../notification.ts';
import { parsePublisherUrl } from '../pipeline/publisher-url.ts';
import type { Host, NotificationEndpoint, Plugin, Publisher } from '../plugin.ts';
import { matchAtStart } from '../python/regex.ts';
import { untilAborted } from '../util/scope.ts';
import { stringifyJson } from '../wire/json.ts';
import type { JsonObject, JsonValue } from '../wire/value.ts';

export interface NotificationFields {
  readonly eventType: string;
  readonly payload?: JsonValue;
  readonly priority?: string;
  readonly publisherId?: string;
  readonly messageId?: string;
  readonly timestamp?: string;
  readonly ctxt?: JsonObject;
}

/** A notification as the agent hands it to endpoints; what is left out is as of some service. */
export function fakeNotification(fields: NotificationFields): Notification {
  const { eventType, payload = {}, priority = 'info', publisherId = 'service.host', ctxt = {} } = fields;
  const { messageId = '4d2c9bd0-6a7c-4b6c-9f3f-1f1d3c5c8b11', timestamp = '2026-03-01 10:00:00.000000' } = fields;
  const metadata = { message_id: messageId, timestamp };
  return {
    priority,
    eventType,
    publisherId,
    payload,
    messageId,
    timestamp,
    identity: messageId,
    body: { ctxt, publisher_id: publisherId, event_type: eventType, payload, metadata },
  };
}

export interface NotificationContractOptions {
  /** What the endpoints of the plugin are for: those that ask for such an event type must not fail. */
  readonly notifications?: readonly Notification[];
  /** `parameters` for trait plugins, by name. */
  readonly parameters?: Readonly<Record<string, JsonObject>>;
  /** URLs that the publishers have to accept, by scheme; nobody needs to listen there. */
  readonly urls?: Readonly<Record<string, string>>;
}

export interface ContractParts {
  readonly host: Host;
  readonly options: NotificationContractOptions;
  /** Timers, sockets and the like that are open. */
  readonly openHandles: () => number;
}

/** Returns each broken rule. */
export async function brokenNotificationRules(plugin: Plugin, given: ContractParts): Promise<string[]> {
  const broken: string[] = [];
  if (plugin.endpoints === undefined && plugin.traits === undefined && plugin.publishers === undefined) return broken;
  const parts = { ...given, before: await quietHandles(given.openHandles) };
  for (const [name, factory] of Object.entries(plugin.endpoints ?? {})) {
    await guarded(`endpoint ${name}`, parts, broken, async (complain) => {
      checkEndpoint(await factory(parts.host), parts.options.notifications ?? [], complain);
    });
  }
  for (const [name, factory] of Object.entries(plugin.traits ?? {})) {
    const parameters = parts.options.parameters?.[name];
    await guarded(`trait ${name}`, parts, broken, async (complain) => {
      let made: TraitPlugin;
      try {
        made = factory(parameters ?? {});
      } catch (error) {
        // Without parameters of its own it may well refuse; but as an error.
        if (parameters !== undefined || !(error instanceof Error)) throw error;
        return;
      }
      checkTraits(made, complain);
    });
  }
  for (const [scheme, factory] of Object.entries(plugin.publishers ?? {})) {
    const accepted = parts.options.urls?.[scheme];
    await guarded(`publisher ${scheme}`, parts, broken, async (complain) => {
      const url = parsePublisherUrl(accepted ?? `${scheme}://user:${PASSWORD}@127.0.0.1:1/contract`);
      let publisher: Publisher;
      try {
        publisher = await factory(url, parts.host);
      } catch (error) {
        if (codeOf(error) !== 'ERR_CONFIG') complain(`refuses ${url.shown} with another error than a ConfigError`);
        else if (accepted !== undefined) complain(`refuses ${url.shown}: ${describeError(error)}`);
        if (describeError(error).includes(PASSWORD)) complain('shows the password of its URL');
        return;
      }
      await checkPublisher(publisher, complain);
    });
  }
  return broken;
}

/** What is open anyway. Whoever runs the test has timers of its own that come and go. */
async function quietHandles(openHandles: () => number): Promise<number> {
  let least = openHandles();
  for (let tries = 0; tries < 4; tries += 1) {
    await sleep(50);
    least = Math.min(least, openHandles());
  }
  return least;
}

const PASSWORD = 'pa55w0rd-of-the-contract';

type Complain = (fault: string) => void;

async function guarded(
  member: string,
  { openHandles, before }: ContractParts & { readonly before: number },
  broken: string[],
  check: (complain: Complain) => Promise<void>,
): Promise<void> {
  const complain = (fault: string) => broken.push(`${member}: ${fault}`);
  try {
    await check(complain);
  } catch (error) {
    complain(describeError(error));
  }
  // What was closed needs a turn of the event loop to be gone.
  for (let tries = 0; tries < 20 && openHandles() > before; tries += 1) {
    await sleep(50);
  }
  if (openHandles() > before) complain('leaves something open');
}

function checkEndpoint(
  endpoint: NotificationEndpoint,
  notifications: readonly Notification[],
  complain: Complain,
): void {
  if (!Array.isArray(endpoint?.eventTypes) || typeof endpoint.process !== 'function') {
    complain('expected an object with eventTypes and process');
    return;
  }
  const filters = endpoint.eventTypes.map((pattern) => matchAtStart(pattern));
  const wanted = notifications.filter(
    ({ eventType }) => filters.length === 0 || filters.some((filter) => filter.test(eventType)),
  );
  for (const notification of wanted) {
    frozen(notification);
    const samples = [...endpoint.process(notification)];
    for (const sample of samples) checkSample(sample, complain);
    const again = [...endpoint.process(notification)].map(({ id }) => id);
    if (samples.some(({ id }, index) => id !== again[index])) {
      complain(`makes other ids when ${notification.eventType} is delivered again; use createSampleMaker or createIds`);
    }
  }
  // Anybody may send anything: an error is for the dead letters, and all else would stop the agent.
  for (const payload of [null, {}, [], 'text', 7]) {
    try {
      for (const sample of endpoint.process(fakeNotification({ eventType: 'contract.test', payload }))) {
        checkSample(sample, complain);
      }
    } catch (error) {
      if (!(error instanceof Error)) complain('throws what is no Error');
    }
  }
}

/** Other endpoints get the same one. */
function frozen(value: unknown): void {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return;
  Object.freeze(value);
  for (const part of Object.values(value)) frozen(part);
}

const sampleKeys = [
  ...['id', 'name', 'type', 'unit', 'volume', 'userId', 'userName', 'projectId', 'projectName', 'resourceId'],
  ...['timestamp', 'metadata', 'source'],
] as const;

function checkSample(sample: NotificationSample, complain: Complain): void {
  const { name, type } = sample;
  if (typeof name !== 'string' || name === '') complain('a sample has no name');
  if (type !== 'gauge' && type !== 'delta' && type !== 'cumulative') {
    complain(`the type of ${name} is not gauge, delta or cumulative`);
  }
  for (const key of sampleKeys) {
    const value: unknown = Reflect.get(sample, key);
    try {
      stringifyJson(value as JsonValue);
    } catch {
      complain(`${key} of ${name} is not a value that JSON can carry`);
    }
  }
}

const fieldLists: readonly (readonly FoundField[])[] = [
  [],
  [{ path: 'payload.a', value: 'text' }],
  [
    { path: 'payload.a', value: null },
    { path: 'payload.b', value: 7 },
  ],
  [{ path: 'payload.a', value: { b: [1] } }],
];

function checkTraits(plugin: TraitPlugin, complain: Complain): void {
  if (typeof plugin?.values !== 'function') {
    complain('expected its factory to return an object with values');
    return;
  }
  for (const fields of fieldLists) {
    let values: readonly JsonValue[];
    try {
      values = plugin.values(fields);
    } catch (error) {
      if (!(error instanceof Error)) complain('throws what is no Error');
      continue;
    }
    if (!Array.isArray(values)) complain(`expected a list of values for ${fields.length} fields`);
    else if (plugin.allValues && values.length !== fields.length) {
      complain(`gives ${values.length} values for ${fields.length} fields, with allValues set`);
    } else stringifyJson(values);
  }
}

const someSample: NotificationSample = {
  id: 'id',
  name: 'contract',
  type: 'gauge',
  unit: 'thing',
  volume: 1,
  userId: null,
  userName: null,
  projectId: null,
  projectName: null,
  resourceId: 'r',
  timestamp: '2026-03-01T10:00:00',
  metadata: {},
  source: 'openstack',
};
const someEvent: Event = {
  messageId: 'id',
  eventType: 'contract.test',
  generated: '2026-03-01T10:00:00',
  traits: [],
  raw: {},
};

async function checkPublisher(publisher: Publisher, complain: Complain): Promise<void> {
  const { publishSamples, publishEvents } = publisher;
  if (publishSamples === undefined && publishEvents === undefined) {
    complain('expected publishSamples, publishEvents or both');
  }
  const aborted = AbortSignal.abort(new AgentError('ERR_CONTRACT', 'the call was aborted'));
  for (const publish of [
    async () => publishSamples?.call(publisher, [someSample], aborted),
    async () => publishEvents?.call(publisher, [someEvent], aborted),
    () => publisher.close(),
  ]) {
    const patience = AbortSignal.timeout(5000);
    const failure = await untilAborted(publish(), patience).then(
      () => undefined,
      (error: unknown) => error,
    );
    if (patience.aborted) complain('goes on for more than five seconds with a signal that has aborted');
    else if (failure !== undefined && !(failure instanceof Error)) complain('rejects with what is no Error');
  }
}
