/** Samples as upstream puts them on the wire: fifteen keys in a fixed order, the last one the signature. */
import type { Metadata, Sample } from '../sample.ts';
import { type JsonForm, jsonFloat, jsonString, stringifyJson } from './json.ts';
import type { Page } from './page.ts';
import { floatRepr } from './python-repr.ts';
import { createSigner, signedText } from './signature.ts';

/** Puts the JSON text of a sample, signed, on a page. All of it is ASCII. */
export type SampleWriter = (sample: Sample, page: Page) => void;

/** A piece of the message, and the piece of the signed text that stands for the same. */
interface Piece<Of, Signed = string> {
  /** What it was made of. */
  readonly of: Of;
  readonly json: string;
  readonly signed: Signed;
}

/** What samples of one resource have in common. Metadata is most of the text: as bytes, which are cheap to copy. */
interface ResourceText {
  readonly metadata: { readonly json: Buffer; readonly signed: Buffer };
  /** The ids of the resource, its project and its user. */
  ids: Piece<Sample, { readonly before: string; readonly after: string }>;
}

/**
 * Makes a writer for one secret; an empty one leaves the signature empty. What samples have in common is written once:
 * for a resource as long as its metadata is the same object, for a meter and for a time until the next one comes.
 */
export function createSampleWriter(secret: string, form: JsonForm): SampleWriter {
  const sign = createSigner(secret);
  const signing = secret !== '';
  const resources = new WeakMap<Metadata, ResourceText>();
  let meter: Piece<Sample> | undefined;
  let time: Piece<Sample> | undefined;
  let clock: Piece<number | null> | undefined;
  const text = (value: string) => jsonString(value, form);
  const orNull = (value: string | null) => (value === null ? 'null' : text(value));
  const key = (name: string) => `, ${text(name)}: `;
  const quote = form === 'nested' ? '\\"' : '"';
  const messageId = key('message_id');
  const messageSignature = `${key('message_signature')}${quote}`;
  const end = `${quote}}`;

  function ofMeter(sample: Sample): Piece<Sample> {
    if (meter === undefined || !sameMeter(meter.of, sample)) {
      const { source, name, type, unit } = sample;
      meter = {
        of: sample,
        json: flat([
          `{${text('source')}: ${text(source)}`,
          `${key('counter_name')}${text(name)}${key('counter_type')}${text(type)}`,
          `${key('counter_unit')}${text(unit)}${key('counter_volume')}`,
        ]),
        signed: flat(['counter_name', name, 'counter_type', type, 'counter_unit', unit, 'counter_volume']),
      };
    }
    return meter;
  }

  function ofResource(sample: Sample): ResourceText {
    const { metadata } = sample;
    let found = resources.get(metadata);
    if (found === undefined) {
      const signed = signing ? signedText(metadata, 'resource_metadata') : '';
      const json = Buffer.from(stringifyJson(metadata, form), 'latin1');
      found = { metadata: { json, signed: Buffer.from(signed, 'utf8') }, ids: idsOf(sample) };
      resources.set(metadata, found);
    } else if (!sameIds(found.ids.of, sample)) {
      found.ids = idsOf(sample);
    }
    return found;
  }

  function idsOf(sample: Sample): ResourceText['ids'] {
    const { userId, userName, projectId, projectName, resourceId } = sample;
    return {
      of: sample,
      json: flat([
        `${key('user_id')}${orNull(userId)}${key('user_name')}${orNull(userName)}`,
        `${key('project_id')}${orNull(projectId)}${key('project_name')}${orNull(projectName)}`,
        `${key('resource_id')}${text(resourceId)}${key('timestamp')}`,
      ]),
      signed: {
        before: flat([
          `project_id${projectId ?? 'None'}project_name${projectName ?? 'None'}`,
          `resource_id${resourceId}`,
        ]),
        after: flat([`user_id${userId ?? 'None'}`, `user_name${userName ?? 'None'}`]),
      },
    };
  }

  function ofTime(sample: Sample): Piece<Sample> {
    if (time?.of.timestamp !== sample.timestamp || time.of.source !== sample.source) {
      const { source, timestamp } = sample;
      time = {
        of: sample,
        json: flat([text(timestamp), key('resource_metadata')]),
        signed: flat(['source', source, 'timestamp', timestamp]),
      };
    }
    return time;
  }

  /** The readings of one answer have one time. */
  function ofClock({ monotonicTime: at }: Sample): Piece<number | null> {
    if (clock === undefined || clock.of !== at) {
      clock = {
        of: at,
        json: flat([key('monotonic_time'), at === null ? 'null' : jsonFloat(at), messageSignature]),
        signed: flat(['monotonic_time', at === null ? 'None' : floatRepr(at)]),
      };
    }
    return clock;
  }

  return function write(sample, page) {
    const { metadata, ids } = ofResource(sample);
    const { volume, id } = sample;
    const isInteger = typeof volume === 'bigint';
    const integer = isInteger ? String(volume) : '';
    const ofItsMeter = ofMeter(sample);
    const ofItsTime = ofTime(sample);
    const read = ofClock(sample);
    page.write(`${ofItsMeter.json}${isInteger ? integer : jsonFloat(volume)}${ids.json}${ofItsTime.json}`);
    page.append(metadata.json);
    const signature = signing
      ? sign(
          `${ofItsMeter.signed}${isInteger ? integer : floatRepr(volume)}message_id${id}${read.signed}${ids.signed.before}`,
          metadata.signed,
          `${ofItsTime.signed}${ids.signed.after}`,
        )
      : '';
    page.write(`${messageId}${text(id)}${read.json}${signature}${end}`);
  };
}

/** Joined, not added up: a string that was added up stays in pieces, and costs each time it is read. */
function flat(pieces: readonly string[]): string {
  return pieces.join('');
}

function sameMeter(a: Sample, b: Sample): boolean {
  return a.name === b.name && a.type === b.type && a.unit === b.unit && a.source === b.source;
}

function sameIds(a: Sample, b: Sample): boolean {
  return (
    a.resourceId === b.resourceId &&
    a.projectId === b.projectId &&
    a.projectName === b.projectName &&
    a.userId === b.userId &&
    a.userName === b.userName
  );
}
