/** A pollster made of a definition. */
import { codeOf, describeError, ServiceError } from '../../errors.ts';
import { statusOf } from '../../openstack/errors.ts';
import type { Http } from '../../openstack/http.ts';
import type { Host, Pollster, Reading, Resource } from '../../plugin.ts';
import type { JsonObject, JsonValue } from '../../wire/value.ts';
import { apiSource } from './api-source.ts';
import { commandSource } from './command-source.ts';
import type { Definition } from './definition.ts';
import { extraMetadata } from './extra-metadata.ts';
import { type Measurement, measure } from './measure.ts';
import { openstackSource } from './openstack-source.ts';
import { entryPages } from './pages.ts';
import { EvaluationError } from './python/errors.ts';
import { stringOf } from './python/functions.ts';
import { readingOf } from './reading.ts';
import { createResponseCache } from './response-cache.ts';
import type { Source } from './source.ts';

export function dynamicPollster(definition: Definition, host: Host, http: Http): Pollster {
  const where = { pollster: definition.name };
  const cache = createResponseCache();
  const sources = new Map<Definition, Source>();
  const once = createOnce();

  function sourceOf(wanted: Definition): Source {
    const known = sources.get(wanted);
    if (known !== undefined) return known;
    const made = makeSource(wanted, host, http);
    sources.set(wanted, made);
    return made;
  }

  const hooks = {
    unmapped(value: JsonValue) {
      const text = stringOf(value).slice(0, 100);
      if (!once(`unmapped ${text}`)) return;
      host.log.warn({ ...where, value: text }, 'value_mapping lacks a value, default_value takes its place');
    },
    shadowed(field: string) {
      if (!once(`shadowed ${field}`)) return;
      host.log.warn({ ...where, field }, 'metadata of this name is there already, the extra field is left out');
    },
  };
  let lastUncounted: number | undefined;

  async function* poll(resources: readonly Resource[], signal: AbortSignal): AsyncGenerator<Reading> {
    const faults = createFaults();
    let noNumbers = 0;
    let firstNoNumber: JsonValue = null;
    const extra = (sample: JsonObject) =>
      extraMetadata(definition.extra, sample, { host, cache, sourceOf, hooks }, signal);
    const source = sourceOf(definition);
    for (const { id: resource } of resources) {
      try {
        for await (const entries of entryPages({
          definition,
          source,
          resource,
          inputs: definition.baseMetadata,
          signal,
        })) {
          for (const entry of entries) {
            for await (const measurement of faults.leavingOut(measure(definition, entry, { ...hooks, extra }))) {
              const reading = readingOf(definition, measurement, idOf(measurement));
              if (reading !== undefined) yield reading;
              else if (noNumbers++ === 0) firstNoNumber = measurement.value;
            }
          }
        }
      } catch (error) {
        signal.throwIfAborted();
        // Another endpoint may be well.
        faults.resource(error);
      }
    }
    tellNoNumbers(noNumbers, firstNoNumber);
    faults.end();
  }

  function tellNoNumbers(count: number, first: JsonValue): void {
    if (count > 0 && lastUncounted === undefined) {
      const fields = { ...where, samples: count, first: stringOf(first).slice(0, 100) };
      host.log.warn(fields, 'values that are no numbers are left out');
    } else if (count === 0 && lastUncounted !== undefined) host.log.info(where, 'all values are numbers again');
    lastUncounted = count === 0 ? undefined : count;
  }

  return {
    meters: definition.value.kind === 'single' ? [definition.meter] : [],
    discovery: discoveryOf(definition),
    poll: (resources, { signal }) => poll(resources, signal),
  };
}

function discoveryOf({ origin }: Definition): string {
  if (origin.kind === 'openstack') return `endpoint://${origin.endpointType}`;
  return origin.kind === 'api' ? 'dynamic_api' : 'dynamic_command';
}

function makeSource(definition: Definition, host: Host, http: Http): Source {
  const { origin } = definition;
  switch (origin.kind) {
    case 'openstack':
      return openstackSource(host, definition, origin);
    case 'api':
      return apiSource(host, http, definition, origin);
    case 'command':
      return commandSource(definition, origin);
  }
}

function idOf({ resourceId }: Measurement): string {
  if (resourceId === null || resourceId === '') throw new EvaluationError('ValueError', 'the entry has no id');
  return resourceId;
}

/** Counts entries that are left out, and keeps what ended the polling of a resource, until the end of the poll. */
function createFaults() {
  let entries = 0;
  let first: unknown;
  const resources: unknown[] = [];
  return {
    async *leavingOut(measurements: AsyncIterable<Measurement>): AsyncGenerator<Measurement> {
      try {
        for await (const measurement of measurements) {
          idOf(measurement);
          yield measurement;
        }
      } catch (error) {
        if (!concernsEntry(error)) throw error;
        entries += 1;
        first ??= error;
      }
    },
    resource(error: unknown): void {
      resources.push(error);
    },
    end(): void {
      const [worst] = resources;
      if (worst !== undefined) throw worst;
      if (entries > 0) {
        throw new ServiceError(`${entries} entries are left out, first: ${describeError(first)}`, { cause: first });
      }
    },
  };
}

/** An entry of another shape, or one whose extra metadata is not to be had; not a service that is away. */
function concernsEntry(error: unknown): boolean {
  if (error instanceof EvaluationError) return true;
  const status = statusOf(error);
  return codeOf(error) === 'ERR_SERVICE' && status !== undefined && status < 500 && status !== 401 && status !== 429;
}

/** Whether this is said for the first time. Forgets nothing, up to a number where it says no more. */
function createOnce(): (text: string) => boolean {
  const said = new Set<string>();
  return (text) => {
    if (said.has(text) || said.size >= 100) return false;
    said.add(text);
    return true;
  };
}
