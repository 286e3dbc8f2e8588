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
  /** The message with null as its payload. */
  readonly frame: string;
  readonly payload: string;
  readonly samples: readonly RawSample[];
}

/** One sample: each part is the text of its value, known to be JSON. */
export interface RawSample {
  /** All of it. */
  readonly text: string;
  readonly name: string;
  readonly type: string;
  readonly unit: string;
  readonly volume: string;
  readonly userId: string;
  readonly userName: string;
  readonly projectId: string;
  readonly projectName: string;
  readonly resourceId: string;
  readonly timestamp: string;
  readonly metadata: string;
  readonly source: string;
  readonly id: string;
}

const PLAIN = String.raw`[^"\\\x00-\x1f]*`;
const TEXT = String.raw`"${PLAIN}(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})${PLAIN})*"`;
const NUMBER = String.raw`-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?`;
const SCALAR = `(?:${TEXT}|null|${NUMBER}|true|false|NaN|-?Infinity)`;
const member = (key: string) => `, "${key}": (${SCALAR})`;
const optional = (key: string) => `(?:, "${key}": (${SCALAR}))?`;

// Polling agents write the members in this order, ours and upstream's. Any other message is read in full.
const FRAME = new RegExp(
  String.raw`\{"message_id": ${SCALAR}, "publisher_id": ${SCALAR}, "event_type": "telemetry\.polling", ` +
    String.raw`"priority": ${SCALAR}, "payload": (?=\{"samples": \[)`,
  'y',
);
const BEFORE_METADATA = new RegExp(
  String.raw`\{"source": (${SCALAR})` +
    ['counter_name', 'counter_type', 'counter_unit', 'counter_volume', 'user_id'].map(member).join('') +
    optional('user_name') +
    member('project_id') +
    optional('project_name') +
    ['resource_id', 'timestamp'].map(member).join('') +
    ', "resource_metadata": ',
  'y',
);
const AFTER_METADATA = new RegExp(
  `${member('message_id')}(?:, "monotonic_time": ${SCALAR})?(?:, "message_signature": ${SCALAR})?\\}(?:, |(\\]\\}))`,
  'y',
);
/** Metadata that holds this itself is cut short by it, and then is not JSON. */
const METADATA_END = ', "message_id": ';
const PAYLOAD_START = '{"samples": [';

/** Undefined for a message that is not of the usual form, or not of polled samples. */
export function findPolledSamples(text: string): PolledMessage | undefined {
  FRAME.lastIndex = 0;
  if (!FRAME.test(text)) return undefined;
  const start = FRAME.lastIndex;
  const samples: RawSample[] = [];
  let at = start + PAYLOAD_START.length;
  for (let last = false; !last; ) {
    BEFORE_METADATA.lastIndex = at;
    const before = BEFORE_METADATA.exec(text);
    if (before === null) return undefined;
    const from = BEFORE_METADATA.lastIndex;
    const to = text.indexOf(METADATA_END, from);
    AFTER_METADATA.lastIndex = to;
    const after = to < 0 ? null : AFTER_METADATA.exec(text);
    if (after === null) return undefined;
    const end = after[2] ?? ', ';
    last = end !== ', ';
    const sample = {
      text: text.slice(at, AFTER_METADATA.lastIndex - end.length),
      source: before[1] ?? '',
      name: before[2] ?? '',
      type: before[3] ?? '',
      unit: before[4] ?? '',
      volume: before[5] ?? '',
      userId: before[6] ?? '',
      userName: before[7] ?? 'null',
      projectId: before[8] ?? '',
      projectName: before[9] ?? 'null',
      resourceId: before[10] ?? '',
      timestamp: before[11] ?? '',
      metadata: text.slice(from, to),
      id: after[1] ?? '',
    };
    if (!isKnownMetadata(sample.resourceId, sample.metadata)) return undefined;
    samples.push(sample);
    at = AFTER_METADATA.lastIndex;
  }
  return { frame: `${text.slice(0, start)}null${text.slice(at)}`, payload: text.slice(start, at), samples };
}

function isJson(text: string): boolean {
  try {
    parseExactJson(text);
    return true;
  } catch {
    return false;
  }
}

/** Texts of metadata that were read and are JSON, by resource: those are few, and comparing them is soon done. */
const known = new Map<string, string[]>();
const MOST_RESOURCES = 2000;
const MOST_OF_RESOURCE = 4;
const LONGEST_KNOWN = 8192;

/** Whether it is JSON. */
function isKnownMetadata(resource: string, text: string): boolean {
  const texts = known.get(resource);
  if (texts?.includes(text)) return true;
  if (!isJson(text)) return false;
  if (text.length > LONGEST_KNOWN) return true;
  if (texts !== undefined) {
    if (texts.length >= MOST_OF_RESOURCE) texts.shift();
    texts.push(copied(text));
  } else {
    // What does not repeat makes way for what may.
    if (known.size >= MOST_RESOURCES) known.clear();
    known.set(copied(resource), [copied(text)]);
  }
  return true;
}

/** A slice would keep the whole message alive. */
export function copied(text: string): string {
  return Buffer.from(text, 'utf8').toString('utf8');
}

/** The samples of one message. They can be let go of while its bytes are there, and are found again when asked for. */
export class PolledSamples {
  #message: PolledMessage | undefined;
  #isOver = false;
  readonly #find: () => PolledMessage;

  constructor(message: PolledMessage, find: () => PolledMessage) {
    this.#message = message;
    this.#find = find;
  }

  get message(): PolledMessage {
    if (this.#message === undefined) {
      if (this.#isOver) throw new Error('a polled sample is read when its message is done with');
      this.#message = this.#find();
    }
    return this.#message;
  }

  letGo(): void {
    this.#message = undefined;
  }

  /** The bytes of the message are somebody else's from now on. */
  end(): void {
    this.#isOver = true;
  }
}

/** What stands in place of parts that say nothing. */
export type OwnParts = Partial<Pick<RawSample, 'id' | 'source' | 'metadata'>>;

/** A polled sample whose parts are read when somebody asks for them. */
export class PolledSample implements NotificationSample {
  readonly name: string;
  readonly type: SampleType;
  readonly #all: PolledSamples;
  readonly #index: number;
  readonly #own: OwnParts | undefined;

  /** What the parts `id`, `source` and `metadata` say has to be something to Python: none of them is empty. */
  constructor(name: string, type: SampleType, all: PolledSamples, index: number, own?: OwnParts) {
    this.name = name;
    this.type = type;
    this.#all = all;
    this.#index = index;
    this.#own = own;
  }

  /** The texts of its parts, for writing them as they came. */
  get raw(): RawSample {
    const found = this.#all.message.samples[this.#index];
    if (found === undefined) throw new Error(`the message has no sample ${this.#index}`);
    return this.#own === undefined ? found : { ...found, ...this.#own };
  }

  get id(): JsonValue {
    return partValue(this.raw.id);
  }

  get source(): JsonValue {
    return partValue(this.raw.source);
  }

  get unit(): JsonValue {
    return partValue(this.raw.unit);
  }

  get volume(): JsonValue {
    return partValue(this.raw.volume);
  }

  get userId(): JsonValue {
    return partValue(this.raw.userId);
  }

  get userName(): JsonValue {
    return partValue(this.raw.userName);
  }

  get projectId(): JsonValue {
    return partValue(this.raw.projectId);
  }

  get projectName(): JsonValue {
    return partValue(this.raw.projectName);
  }

  get resourceId(): JsonValue {
    return partValue(this.raw.resourceId);
  }

  get timestamp(): JsonValue {
    return partValue(this.raw.timestamp);
  }

  get metadata(): JsonValue {
    return partValue(this.raw.metadata);
  }
}

const QUOTE = 0x22;

/** The value in a text that is known to be JSON. */
export function partValue(text: string): JsonValue {
  if (text.charCodeAt(0) === QUOTE) return text.includes('\\') ? parseExactJson(text) : text.slice(1, -1);
  if (text === 'null') return null;
  return /^[1-9][0-9]{0,14}$/.test(text) ? Number(text) : parseExactJson(text);
}

const EMPTY = /^(?:null|false|-?0(?:\.0+)?(?:[eE][-+]?[0-9]+)?|\{\s*\}|\[\s*\])$/;

/** Whether a value counts as none to Python. */
export function isEmptyPart(text: string): boolean {
  return text.charCodeAt(0) === QUOTE ? text === '""' : EMPTY.test(text);
}
