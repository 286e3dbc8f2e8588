/** From a request to an answer, without HTTP around it. */

import * as v from 'valibot';
import { describeError } from '../../errors.ts';
import type { JsonObject, JsonValue } from '../../wire/value.ts';
import type { Collector } from '../collector.ts';
import { microsOf } from '../record.ts';
import type { Page, PageRequest, Position, SampleFilter } from '../store/store.ts';
import {
  meterAnswer,
  resourceAnswer,
  resourceDetailAnswer,
  sampleAnswers,
  statisticsAnswer,
  statusAnswer,
} from './answers.ts';
import { openapiDocument } from './openapi.ts';
import { queries } from './schema.ts';

const LONGEST_MESSAGE = 300;

/** What the caller did wrong. */
export class RequestError extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    // It has what the caller gave in it, which may be long and of several lines.
    super(message.replace(/\p{Cc}+/gu, ' ').slice(0, LONGEST_MESSAGE));
    this.status = status;
  }
}

/** Throws {@link RequestError}. */
export type Routes = (path: string, query: URLSearchParams) => Promise<JsonValue>;

const RESOURCE = /^\/v1\/resources\/([^/]+)$/;

export function createRoutes(collector: Collector, version: string, now: () => number = Date.now): Routes {
  const { store } = collector;
  const micros = () => now() * 1000;

  return async (path, search) => {
    const resource = RESOURCE.exec(path)?.[1];
    if (resource !== undefined) {
      parse(queries.resource, search);
      const id = decoded(resource);
      const found = await store.resource(id, micros());
      if (found === undefined) throw new RequestError(404, `there is no resource ${id}`);
      return resourceDetailAnswer(found);
    }
    switch (path) {
      case '/v1/status': {
        parse(queries.status, search);
        const at = micros();
        return statusAnswer(await store.status(at), collector, version, at);
      }
      case '/v1/meters': {
        const { limit, marker, ...filter } = parse(queries.meters, search);
        return pageAnswer('meters', await store.meters(filter, pageOf('meters', limit, marker), micros()), meterAnswer);
      }
      case '/v1/resources': {
        const { limit, marker, ...filter } = parse(queries.resources, search);
        return pageAnswer(
          'resources',
          await store.resources(filter, pageOf('resources', limit, marker)),
          resourceAnswer,
        );
      }
      case '/v1/samples': {
        const { limit, marker, order, metadata, ...filter } = parse(queries.samples, search);
        const page = await store.samples(withSpan(filter), pageOf('samples', limit, marker), order === 'asc');
        return { samples: sampleAnswers(page.rows, metadata === 'true'), next: nextMarker(page) };
      }
      case '/v1/statistics': {
        const { limit, marker, period, group, meter, ...filter } = parse(queries.statistics, search);
        const request = {
          ...withSpan(filter),
          meter,
          group,
          period: period === undefined ? undefined : Math.max(1, Math.round(period * 1e6)),
        };
        const page = await store.statistics(request, pageOf('statistics', limit, marker));
        return pageAnswer('statistics', page, (row) => statisticsAnswer(row, period));
      }
      case '/v1/openapi.json':
        return openapiDocument(version) as JsonObject;
      default:
        throw new RequestError(404, `there is no ${path}; see /v1/openapi.json`);
    }
  };
}

function parse<T extends v.GenericSchema>(schema: T, search: URLSearchParams): v.InferOutput<T> {
  const names = [...search.keys()];
  const repeated = names.find((name, index) => names.indexOf(name) !== index);
  if (repeated !== undefined) throw new RequestError(400, `${repeated}: is given more than once`);
  // No name has one, and PostgreSQL takes none.
  const nul = names.find((name) => search.get(name)?.includes('\0'));
  if (nul !== undefined) throw new RequestError(400, `${nul}: has a NUL character`);
  const result = v.safeParse(schema, Object.fromEntries(search), { abortPipeEarly: true });
  if (result.success) return result.output;
  const [issue] = result.issues;
  const name = v.getDotPath(issue) ?? '';
  throw new RequestError(400, `${name}: ${problemOf(issue, search.has(name))}`);
}

function problemOf({ type, expected, message }: v.BaseIssue<unknown>, given: boolean): string {
  if (type === 'strict_object') return given ? 'there is no such parameter' : 'is needed';
  return type === 'picklist' ? `expected ${expected?.replace(/[()"]/g, '').replaceAll(' |', ' or')}` : message;
}

interface SpanText {
  readonly start?: string | undefined;
  readonly end?: string | undefined;
}

function withSpan<T extends SpanText>({ start, end, ...filter }: T): Omit<T, keyof SpanText> & SampleFilter {
  const span = { start: timeParameter('start', start), end: timeParameter('end', end) };
  if (span.start !== undefined && span.end !== undefined && span.start > span.end)
    throw new RequestError(400, 'end: is before start');
  return { ...filter, ...span };
}

function timeParameter(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  try {
    // A plus sign that was not escaped in the URL arrives as a space.
    return microsOf(text.replace(/(T.*) ([0-9]{2}:?[0-9]{2})$/, '$1+$2'));
  } catch (error) {
    throw new RequestError(400, `${name}: expected an ISO 8601 date, ${describeError(error)}`);
  }
}

/** What a marker holds, list by list. */
const places = {
  meters: ['text', 'id'],
  resources: ['text'],
  samples: ['time', 'id', 'id', 'text'],
  statistics: ['id'],
} as const;

const isPlace = {
  text: (value: unknown) => typeof value === 'string' && !value.includes('\0'),
  time: (value: unknown) => Number.isSafeInteger(value),
  /** Of a row, which has 31 bits everywhere. */
  id: (value: unknown) => Number.isInteger(value) && Number(value) >= 0 && Number(value) < 2 ** 31,
};

function pageOf(list: keyof typeof places, limit: number, marker: string | undefined): PageRequest {
  if (marker === undefined) return { limit, after: undefined };
  const after = readMarker(marker);
  const kinds = places[list];
  if (after?.length === kinds.length && kinds.every((kind, index) => isPlace[kind](after[index])))
    return { limit, after: after as Position };
  throw new RequestError(400, 'marker: expected what `next` of the page before says');
}

function readMarker(marker: string): readonly unknown[] | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(marker, 'base64url').toString('utf8'));
    return Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function markerOf(place: Position | undefined): string | null {
  return place === undefined ? null : Buffer.from(JSON.stringify(place), 'utf8').toString('base64url');
}

const nextMarker = ({ next }: Page<unknown>) => markerOf(next);

function pageAnswer<T>(name: string, page: Page<T>, toAnswer: (row: T) => JsonObject): JsonObject {
  return { [name]: page.rows.map(toAnswer), next: nextMarker(page) };
}

function decoded(part: string): string {
  let text = '';
  try {
    text = decodeURIComponent(part);
  } catch {
    throw new RequestError(400, 'the path is not encoded as it should be');
  }
  if (text.includes('\0')) throw new RequestError(400, 'the path has a NUL character');
  return text;
}
