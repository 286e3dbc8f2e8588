/** `ceilometer meters|resources|samples|statistics`: questions to a collector, through its API. */
import { ConfigError, codeOf, describeError, ServiceError } from '../errors.ts';
import { StreamWriter } from '../output/stream-writer.ts';
import { parseExactJson } from '../wire/json-parser.ts';
import { isList, isObject, type JsonObject, type JsonValue } from '../wire/value.ts';
import { type ConfigArguments, exitCodes, readConfig } from './common.ts';
import { type Format, rowWriter, type Shape } from './rows.ts';

export interface AskArguments extends ConfigArguments {
  readonly url?: string | undefined;
  readonly format: Format;
  /** Rows in all; 0 means every one. */
  readonly limit: number;
}

export interface Question {
  /** Under `/v1/`, and the name of the list in the answer. */
  readonly name: string;
  readonly shape: Shape;
  /** Parameters of the API; undefined ones are left out. */
  readonly query: Readonly<Record<string, string | number | undefined>>;
}

/** Milliseconds for one page. */
const PATIENCE = 120_000;
const PAGE = 1000;
export const TOKEN_VARIABLE = 'CEILOMETER_API_TOKEN';

/** Prints the rows of all pages. Rejects with `ServiceError` where no collector answers. */
export async function ask({ name, shape, query }: Question, args: AskArguments): Promise<number> {
  const { config } = readConfig(args);
  const base = args.url ?? urlOf(config.collector.apiHost, config.collector.apiPort);
  const token = process.env[TOKEN_VARIABLE] ?? config.collector.apiToken;
  let gone = false;
  const writer = new StreamWriter({
    stream: process.stdout,
    name: 'the output',
    onGone: () => {
      gone = true;
    },
  });
  const rows = rowWriter(args.format, shape, process.stdout.isTTY ? process.stdout.columns : undefined);
  const never = new AbortController().signal;
  let left = args.limit === 0 ? Number.POSITIVE_INFINITY : args.limit;
  let marker: string | undefined;
  do {
    const page = await get(base, name, { ...query, limit: Math.min(left, PAGE), marker }, token);
    const list = page[name];
    const found = list !== undefined && isList(list) ? list.filter(isObject) : [];
    writer.write(rows.add(found), 1);
    await writer.room(never);
    left -= found.length;
    marker = typeof page['next'] === 'string' ? page['next'] : undefined;
  } while (marker !== undefined && left > 0 && !gone);
  writer.write(rows.end(), 1);
  await writer.flush(never);
  return exitCodes.ok;
}

function urlOf(host: string, port: number): string {
  const reached = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host;
  return `http://${reached.includes(':') ? `[${reached}]` : reached}:${port}`;
}

async function get(base: string, name: string, query: Question['query'], token: string): Promise<JsonObject> {
  const url = resolved(base, name);
  for (const [key, value] of Object.entries(query)) if (value !== undefined) url.searchParams.set(key, String(value));
  let status: number;
  let text: string;
  try {
    const response = await fetch(url, {
      signal: AbortSignal.timeout(PATIENCE),
      // Header values are bytes to fetch.
      headers: token === '' ? {} : { authorization: `Bearer ${Buffer.from(token, 'utf8').toString('latin1')}` },
    });
    status = response.status;
    text = await response.text();
  } catch (error) {
    const why = codeOf(error instanceof Error ? error.cause : undefined) ?? describeError(error);
    throw new ServiceError(`no collector answers at ${base} (${why}): start ceilometer-collector, or name it by --url`);
  }
  const answer = parsed(text);
  if (status === 200 && answer !== undefined) return answer;
  const reason = answer?.['error'];
  if (status === 401)
    throw new ConfigError(`${base}: ${String(reason)}: set [collector] api_token, or ${TOKEN_VARIABLE}`);
  throw new ServiceError(`${base}: ${typeof reason === 'string' ? reason : `is no collector (HTTP status ${status})`}`);
}

function resolved(base: string, name: string): URL {
  try {
    return new URL(`${base.replace(/\/+$/, '')}/v1/${name}`);
  } catch {
    throw new ConfigError(`--url: expected http://HOST:PORT, got ${base}`);
  }
}

function parsed(text: string): JsonObject | undefined {
  try {
    const value: JsonValue = parseExactJson(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
