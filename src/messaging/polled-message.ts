/**
 * Polled samples without reading them. They are most of what the agent gets and pass through as they are, so their
 * parts are only found in the text, and their metadata, which repeats from poll to poll, is checked once.
 */
import type { NotificationSample } from '../notification.ts';
import type { SampleType } from '../sample.ts';
import { parseExactJson } from '../wire/json-parser.ts';
import type { JsonValue } from '../wire/value.ts';

/** What stands around the samples of a message, and the samples as text. */
export interface PolledMessage {
  /** The message without its payload. */
  readonly frame: string;
  readonly payload: string;
  readonly samples: readonly RawSample[];
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
const OPEN_LIST = 0x5b;
const CLOSE_LIST = 0x5d;
const COMMA = 0x2c;
const COLON = 0x3a;

const required = [
  'counter_name',
  'counter_type',
  'counter_unit',
  'counter_volume',
  'user_id',
  'project_id',
  'resource_id',
  'timestamp',
  'resource_metadata',
  'source',
  'message_id',
] as const;
const optional = ['user_name', 'project_name'] as const;
type Key = (typeof required)[number] | (typeof optional)[number];

/** One sample: each part is the text of its value, known to be JSON. */
export type RawSample = Readonly<Record<Key, string>> & {
  /** All of it. */
  readonly text: string;
};

/** The text is not of the form that polling agents send: it has to be read in full. */
class Unusual extends Error {}

/** Undefined for a message that is not of the usual form, or not of polled samples. */
export function findPolledSamples(text: string): PolledMessage | undefined {
  // What a message of another kind starts with is soon clear.
  const at = text.slice(0, 1000).indexOf('"telemetry.polling"');
  if (at < 0) return undefined;
  try {
    return new Scanner(text).message();
  } catch (error) {
    if (error instanceof Unusual) return undefined;
    throw error;
  }
}

const SCALAR = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?|true|false|null|NaN|-?Infinity/y;

/** Goes through a text once. */
class Scanner {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  message(): PolledMessage | undefined {
    const text = this.#text;
    let samples: readonly RawSample[] | undefined;
    let [start, end] = [0, 0];
    let eventType = '';
    this.#members((key, from) => {
      if (key === 'payload') {
        samples = this.#payload();
        [start, end] = [from, this.#at];
      } else {
        this.#value();
        if (key === 'event_type') eventType = text.slice(from, this.#at);
      }
    });
    if (samples === undefined || eventType !== '"telemetry.polling"') return undefined;
    return { frame: `${text.slice(0, start)}null${text.slice(end)}`, payload: text.slice(start, end), samples };
  }

  #payload(): readonly RawSample[] {
    let samples: readonly RawSample[] | undefined;
    this.#members((key) => {
      if (key !== 'samples' || samples !== undefined) throw new Unusual();
      samples = this.#samples();
    });
    if (samples === undefined) throw new Unusual();
    return samples;
  }

  #samples(): readonly RawSample[] {
    const samples: RawSample[] = [];
    if (this.#next() !== OPEN_LIST) throw new Unusual();
    this.#at += 1;
    if (this.#next() === CLOSE_LIST) {
      this.#at += 1;
      return samples;
    }
    for (;;) {
      samples.push(this.#sample());
      const code = this.#next();
      this.#at += 1;
      if (code === CLOSE_LIST) return samples;
      if (code !== COMMA) throw new Unusual();
    }
  }

  #sample(): RawSample {
    const parts: Record<string, string> = { user_name: 'null', project_name: 'null' };
    this.#next();
    const start = this.#at;
    this.#members((key, from) => {
      this.#value();
      parts[key] = this.#text.slice(from, this.#at);
    });
    for (const key of required) {
      const part = parts[key];
      if (part === undefined) throw new Unusual();
      if (key === 'resource_metadata') checkMetadata(part);
      else checkPart(part);
    }
    for (const key of optional) checkPart(parts[key] ?? 'null');
    parts['text'] = this.#text.slice(start, this.#at);
    // All keys are there by now.
    return parts as RawSample;
  }

  /** The code of the next character that is not white space. */
  #next(): number {
    for (;;) {
      const code = this.#text.charCodeAt(this.#at);
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return code;
      this.#at += 1;
    }
  }

  /** Calls `each` at the start of each value of an object, to go to its end. */
  #members(each: (key: string, from: number) => void): void {
    if (this.#next() !== OPEN_OBJECT) throw new Unusual();
    this.#at += 1;
    if (this.#next() === CLOSE_OBJECT) {
      this.#at += 1;
      return;
    }
    for (;;) {
      if (this.#next() !== QUOTE) throw new Unusual();
      const start = this.#at + 1;
      this.#string();
      const key = this.#text.slice(start, this.#at - 1);
      // One with escapes, and what an assignment would not store.
      if (key.includes('\\') || key === '__proto__') throw new Unusual();
      if (this.#next() !== COLON) throw new Unusual();
      this.#at += 1;
      this.#next();
      each(key, this.#at);
      const code = this.#next();
      this.#at += 1;
      if (code === CLOSE_OBJECT) return;
      if (code !== COMMA) throw new Unusual();
    }
  }

  #value(): void {
    const code = this.#text.charCodeAt(this.#at);
    if (code === QUOTE) this.#string();
    else if (code === OPEN_OBJECT || code === OPEN_LIST) this.#brackets();
    else {
      SCALAR.lastIndex = this.#at;
      if (!SCALAR.test(this.#text)) throw new Unusual();
      this.#at = SCALAR.lastIndex;
    }
  }

  #string(): void {
    const text = this.#text;
    for (let at = this.#at + 1; ; at += 1) {
      const code = text.charCodeAt(at);
      if (code === QUOTE) {
        this.#at = at + 1;
        return;
      }
      if (code === BACKSLASH) at += 1;
      // NaN is the end of the text; controls are not allowed.
      else if (!(code >= 0x20)) throw new Unusual();
    }
  }

  /** Only counts brackets: what is between them is checked elsewhere. */
  #brackets(): void {
    const text = this.#text;
    let depth = 0;
    for (let at = this.#at; ; at += 1) {
      const code = text.charCodeAt(at);
      if (code === QUOTE) {
        this.#at = at;
        this.#string();
        at = this.#at - 1;
      } else if (code === OPEN_OBJECT || code === OPEN_LIST) depth += 1;
      else if (code === CLOSE_OBJECT || code === CLOSE_LIST) {
        depth -= 1;
        if (depth === 0) {
          this.#at = at + 1;
          return;
        }
      } else if (Number.isNaN(code)) throw new Unusual();
    }
  }
}

/** Strings with escapes, and what has parts of its own, are checked by reading them. */
function checkPart(value: string): void {
  const code = value.charCodeAt(0);
  if (code === OPEN_OBJECT || code === OPEN_LIST || (code === QUOTE && value.includes('\\'))) readable(value);
}

function readable(value: string): void {
  try {
    parseExactJson(value);
  } catch {
    throw new Unusual();
  }
}

/** Texts of metadata that were read and are JSON. What does not repeat makes way for what may. */
const known = new Set<string>();
const MOST_KNOWN = 4000;
const LONGEST_KNOWN = 8192;

function checkMetadata(text: string): void {
  if (known.has(text)) return;
  readable(text);
  if (text.length > LONGEST_KNOWN) return;
  if (known.size >= MOST_KNOWN) known.clear();
  // A copy: a slice would keep the whole message alive.
  known.add(Buffer.from(text, 'utf8').toString('utf8'));
}

/** A polled sample whose parts are read when somebody asks for them. */
export class PolledSample implements NotificationSample {
  readonly name: string;
  readonly type: SampleType;
  readonly id: JsonValue;
  readonly source: JsonValue;
  readonly #raw: RawSample;

  constructor(raw: RawSample, parts: Pick<NotificationSample, 'name' | 'type' | 'id' | 'source'>) {
    this.#raw = raw;
    this.name = parts.name;
    this.type = parts.type;
    this.id = parts.id;
    this.source = parts.source;
  }

  get unit(): JsonValue {
    return partValue(this.#raw.counter_unit);
  }

  get volume(): JsonValue {
    return partValue(this.#raw.counter_volume);
  }

  get userId(): JsonValue {
    return partValue(this.#raw.user_id);
  }

  get userName(): JsonValue {
    return partValue(this.#raw.user_name);
  }

  get projectId(): JsonValue {
    return partValue(this.#raw.project_id);
  }

  get projectName(): JsonValue {
    return partValue(this.#raw.project_name);
  }

  get resourceId(): JsonValue {
    return partValue(this.#raw.resource_id);
  }

  get timestamp(): JsonValue {
    return partValue(this.#raw.timestamp);
  }

  get metadata(): JsonValue {
    return partValue(this.metadataJson);
  }

  get metadataJson(): string {
    const text = this.#raw.resource_metadata;
    return emptyValue(text) ? '{}' : text;
  }

  /** The texts of its parts, for writing them as they came. */
  get raw(): RawSample {
    return this.#raw;
  }
}

/** The value in a text that is known to be JSON. */
export function partValue(text: string): JsonValue {
  if (text === 'null') return null;
  if (text.charCodeAt(0) === QUOTE && !text.includes('\\')) return text.slice(1, -1);
  if (/^[1-9][0-9]{0,14}$/.test(text)) return Number(text);
  return parseExactJson(text);
}

/** Whether a value counts as none to Python. */
export function emptyValue(text: string): boolean {
  return /^(?:null|false|""|-?0(?:\.0+)?(?:[eE][-+]?[0-9]+)?|\{\s*\}|\[\s*\])$/.test(text);
}
