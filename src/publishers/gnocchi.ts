/** `gnocchi://`: measures of resources that samples describe and events create, change and end. */
import { ConfigError, codeOf, DeliveryError, describeError } from '../errors.ts';
import { descriptionOf, type GnocchiApi, openGnocchi } from '../gnocchi/api.ts';
import { type Batch, type BatchedResource, batchJson, batchOf, resourceJson } from '../gnocchi/batch.ts';
import { findDefinitions, type GnocchiDefinitions, readDefinitions } from '../gnocchi/definitions.ts';
import { createOwnActivity } from '../gnocchi/own-activity.ts';
import { createResources, type Outcome, passes, type Resources, said } from '../gnocchi/resources.ts';
import type { Event, NotificationSample } from '../notification.ts';
import { UrlOptions } from '../pipeline/publisher-url.ts';
import type { Host, Publisher, PublisherUrl } from '../plugin.ts';
import { isoTimestamp } from '../sample.ts';
import { systemClock } from '../util/clock.ts';
import { createDropLog } from '../util/drop-log.ts';
import { forEachLimit } from '../util/map-limit.ts';
import { stringifyJson } from '../wire/json.ts';
import { isList, isObject, type JsonObject, type JsonValue } from '../wire/value.ts';

const BATCH_PATH = '/v1/batch/resources/metrics/measures?create_metrics=True';
/** Requests for the resources of one batch that are under way at once. */
const AT_ONCE = 4;

interface Options {
  readonly policy: string | undefined;
  readonly file: string | undefined;
  readonly filter: { readonly project: string; readonly domain: string } | undefined;
  /** Milliseconds. */
  readonly timeout: number;
}

export function gnocchiPublisher(url: PublisherUrl, host: Host): Publisher {
  const options = readOptions(url);
  const definitions = definitionsOf(url, options, host);
  const api = openGnocchi(host, { timeout: options.timeout });
  const filter = options.filter && ownActivity(url, options.filter, definitions, api, host);
  const resources = createResources(api, systemClock);
  const measures = createMeasures(api, definitions, resources, host);
  const events = createEvents(definitions, resources, host);
  return {
    publishSamples: (batch, signal) =>
      delivered(signal, async () => {
        await measures.prepare(signal);
        await measures.publish(filter === undefined ? batch : await filter.without(batch, signal), signal);
      }),
    publishEvents: (batch, signal) =>
      delivered(signal, async () => {
        for (const event of batch) await events(event, signal);
      }),
    close: () => api.close(),
  };
}

function readOptions(url: PublisherUrl): Options {
  const options = new UrlOptions(url);
  const [project, domain] = [options.text('filter_project') ?? 'service', options.text('filter_domain') ?? 'Default'];
  const filter = options.boolean('enable_filter_project', true) ? { project, domain } : undefined;
  const seconds = options.text('timeout') ?? '6.05';
  const read = { policy: options.text('archive_policy'), file: options.text('resources_definition_file'), filter };
  options.refuseOthers();
  if (url.authority !== '' || !/^\/?$/.test(url.path)) {
    throw new ConfigError(`${url.shown}: expected nothing between gnocchi:// and ?, Gnocchi is found in the catalogue`);
  }
  if (!/^\d*\.?\d+$/.test(seconds) || Number(seconds) === 0) {
    throw new ConfigError(`${url.shown}: option timeout: expected a number of seconds, got ${seconds}`);
  }
  return { ...read, timeout: Number(seconds) * 1000 };
}

function definitionsOf(url: PublisherUrl, { file, policy }: Options, { config }: Host): GnocchiDefinitions {
  try {
    return readDefinitions(findDefinitions(file, config.searchPath), policy);
  } catch (error) {
    if (codeOf(error) !== 'ERR_CONFIG') throw error;
    throw new ConfigError(`${url.shown}: ${describeError(error)}`, { cause: error });
  }
}

function ownActivity(
  url: PublisherUrl,
  { project, domain }: { readonly project: string; readonly domain: string },
  { byMeter }: GnocchiDefinitions,
  { identity }: GnocchiApi,
  { log }: Host,
) {
  if (identity === undefined) {
    throw new ConfigError(`${url.shown}: filter_project needs Keystone: set enable_filter_project=false`);
  }
  return createOwnActivity({ identity, project, domain, log, typeOf: (meter) => byMeter.get(meter)?.type });
}

/** What does not say so itself may be tried again. */
async function delivered(signal: AbortSignal, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    signal.throwIfAborted();
    if (codeOf(error) === 'ERR_DELIVERY') throw error;
    throw new DeliveryError('Gnocchi did not take it', { cause: error, retryable: true });
  }
}

function createMeasures(
  api: GnocchiApi,
  { archivePolicies, byMeter, ownersOf }: GnocchiDefinitions,
  resources: Resources,
  { log }: Host,
) {
  const left = createDropLog(log, 'a sample cannot go to Gnocchi and is left out');
  const refused = createDropLog(log, 'Gnocchi refuses measures, which are lost');
  const outdated = createDropLog(log, 'Gnocchi does not take the attributes of a resource');
  let prepared: Promise<void> | undefined;

  async function createPolicies(signal: AbortSignal): Promise<void> {
    for (const policy of archivePolicies) {
      const response = await api.request('POST', '/v1/archive_policy/', { body: stringifyJson(policy), signal });
      if (response.status < 300 || response.status === 409) continue;
      if (response.status >= 500) throw new DeliveryError(`Gnocchi answered ${said(response)}`, { retryable: true });
      // It may be there already and the agent only not be allowed to make it.
      log.error({ policy: policy['name'], reason: said(response) }, 'Gnocchi does not take an archive policy');
    }
  }

  function drop({ id, type, meters }: BatchedResource, reason: string, only = [...meters.keys()]): void {
    for (const meter of only) {
      refused.note(`${type} ${meter} ${reason.slice(0, 40)}`, { resource: id, resource_type: type, meter, reason });
    }
  }

  async function createMissing(batch: Batch, detail: readonly JsonValue[], signal: AbortSignal): Promise<number> {
    const missing = detail.flatMap((one) => {
      const id = isObject(one) ? one['original_resource_id'] : undefined;
      return (typeof id === 'string' && batch.get(id)) || [];
    });
    const failures: unknown[] = [];
    await forEachLimit(missing, AT_ONCE, async (resource) => {
      try {
        const outcome = await resources.create(resource.type, resourceJson(resource), signal, resource.attributes);
        const reason = refusalOf(outcome, resource.type);
        if (reason === undefined) {
          await endWithOwner(resource, signal);
          return;
        }
        drop(resource, reason);
        batch.delete(resource.id);
      } catch (error) {
        failures.push(error);
      }
    });
    if (failures.length > 0) throw failures[0];
    return missing.length;
  }

  /**
   * Its samples may have come later than the event that ended what it is of. Whoever ends that looks for what belongs
   * to it afterwards, and here it is looked at after this was created: one of the two finds the other.
   */
  async function endWithOwner({ id, type, attributes }: BatchedResource, signal: AbortSignal): Promise<void> {
    for (const { type: ownerType, attribute } of ownersOf(type)) {
      const owner = attributes[attribute];
      const ended = typeof owner === 'string' ? await resources.endOf(ownerType, owner, signal) : null;
      if (ended === null) continue;
      // It cannot begin after its end, which Gnocchi over MySQL checks before it takes another beginning.
      for (const times of [{ started_at: ended }, { ended_at: ended }]) {
        const outcome = await resources.change(type, id, times, signal);
        if (typeof outcome !== 'object') continue;
        outdated.note(`${type} end`, { resource: id, resource_type: type, reason: outcome.refused });
      }
    }
  }

  /** Removes the meter that Gnocchi names; false where it names none. */
  function removeNamed(batch: Batch, description: JsonObject): boolean {
    const detail = description['detail'] ?? null;
    const [id, meter] = isList(detail) ? detail : [];
    const resource = typeof id === 'string' ? batch.get(id) : undefined;
    if (resource === undefined || typeof meter !== 'string' || !resource.meters.has(meter)) return false;
    drop(resource, String(description['reason'] ?? description['cause']), [meter]);
    resource.meters.delete(meter);
    if (resource.meters.size === 0) batch.delete(resource.id);
    return true;
  }

  async function push(batch: Batch, signal: AbortSignal): Promise<void> {
    for (let created = false; batch.size > 0; ) {
      const response = await api.request('POST', BATCH_PATH, { body: batchJson(batch), signal });
      if (response.status < 300) return;
      const description = descriptionOf(response);
      if (response.status === 400 && isObject(description)) {
        const detail = description['detail'] ?? null;
        if (description['cause'] === 'Unknown resources' && isList(detail) && !created) {
          created = true;
          if ((await createMissing(batch, detail, signal)) > 0) continue;
        } else if (removeNamed(batch, description)) continue;
      }
      throw new DeliveryError(`Gnocchi answered ${said(response)}`, { retryable: passes(response) });
    }
  }

  async function refresh({ id, type, attributes }: BatchedResource, signal: AbortSignal): Promise<void> {
    // The measures are there: that these are not the resource's last words is no reason to send all of it again.
    const reason = await resources.update(type, id, attributes, signal).then(
      (outcome) => (outcome === 'missing' ? 'it does not exist' : refusalOf(outcome, type)),
      (error: unknown) => describeError(error),
    );
    if (reason !== undefined)
      outdated.note(`${type} ${reason.slice(0, 40)}`, { resource: id, resource_type: type, reason });
  }

  return {
    /** Before the first measures; again until it succeeds. */
    async prepare(signal: AbortSignal): Promise<void> {
      prepared ??= createPolicies(signal).catch((error: unknown) => {
        prepared = undefined;
        throw error;
      });
      await prepared;
    },
    async publish(samples: readonly NotificationSample[], signal: AbortSignal): Promise<void> {
      const batch = batchOf(samples, {
        byMeter,
        leftOut: (sample, reason) =>
          left.note(`${sample.name} ${reason}`, { meter: sample.name, resource: sample.resourceId, reason }),
      });
      await push(batch, signal);
      await forEachLimit([...batch.values()], AT_ONCE, (resource) => refresh(resource, signal));
      signal.throwIfAborted();
    },
  };
}

/** Why a resource cannot be there; undefined where it can. */
function refusalOf(outcome: Outcome, type: string): string | undefined {
  if (outcome === 'missing') return `there is no resource type ${type}: run ceilometer-upgrade`;
  return typeof outcome === 'object' ? outcome.refused : undefined;
}

function createEvents(definitions: GnocchiDefinitions, resources: Resources, { log }: Host) {
  const refused = createDropLog(log, 'Gnocchi refuses what an event says of a resource');

  return async (event: Event, signal: AbortSignal): Promise<void> => {
    const found = definitions.byEvent(event.eventType);
    if (found === undefined) return;
    const { type, associated, eventAttributes } = found.resource;
    const { id, ...attributes } = eventAttributes(event);
    const note = (reason: string) =>
      refused.note(`${event.eventType} ${reason.slice(0, 40)}`, { event_type: event.eventType, resource: id, reason });
    if (typeof id !== 'string' || id === '') return note('the event does not name it');
    const resource = id.replaceAll('/', '_');
    const check = (outcome: Outcome) => {
      // What is not there needs neither to change nor to end.
      const reason = found.operation !== 'create' && outcome === 'missing' ? undefined : refusalOf(outcome, type);
      if (reason !== undefined) note(reason);
    };
    if (found.operation === 'create') {
      return check(await resources.create(type, { id: resource, ...attributes }, signal));
    }
    if (found.operation === 'update') return check(await resources.update(type, resource, attributes, signal));
    const at = isoTimestamp(Date.now());
    const ended = { ended_at: at };
    let outcome = await resources.change(type, resource, ended, signal);
    if (outcome === 'missing') {
      // Samples of it may be on their way, here or through another agent: what they would create is created ended.
      const whole = { id: resource, ...attributes, started_at: at, ...ended };
      const created = await resources.create(type, whole, signal);
      if (created === 'exists') outcome = await resources.change(type, resource, ended, signal);
      else if (typeof created === 'object')
        log.debug(
          { event_type: event.eventType, resource: id, reason: created.refused },
          'Gnocchi does not know what ended',
        );
    }
    check(outcome);
    for (const other of associated) {
      for (const one of await resources.search(other.type, other.query(resource), signal)) {
        check(await resources.change(other.type, one, ended, signal));
      }
    }
  };
}
