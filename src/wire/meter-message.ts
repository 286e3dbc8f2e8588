/** Samples as upstream puts them on the wire: fifteen keys in a fixed order, the last one the signature. */
import type { Metadata, Sample } from '../sample.ts';
import { type JsonForm, jsonFloat, jsonString, stringifyJson } from './json.ts';
import { floatRepr } from './python-repr.ts';
import { createSigner, signedText } from './signature.ts';

/** JSON text of a sample, signed, in three pieces. All of it is ASCII. */
export interface SampleText {
  readonly before: string;
  /** Most of the text, and the same for many samples: as bytes, which are cheap to copy. */
  readonly metadata: Buffer;
  readonly after: string;
}

export type SampleEncoder = (sample: Sample) => SampleText;

interface MetadataText {
  readonly json: Buffer;
  readonly signed: Buffer;
}

/** What samples of one meter have in common. */
interface MeterText {
  readonly of: Sample;
  readonly json: string;
  readonly signed: string;
}

/**
 * Makes an encoder for one secret; an empty one leaves the signature empty. The text of metadata, which the samples of
 * a resource share, is kept for as long as the object lives; that of a meter until the next one comes.
 */
export function createSampleEncoder(secret: string, form: JsonForm): SampleEncoder {
  const sign = createSigner(secret);
  const signing = secret !== '';
  const metadataTexts = new WeakMap<Metadata, MetadataText>();
  let meterText: MeterText | undefined;
  const text = (value: string) => jsonString(value, form);
  const orNull = (value: string | null) => (value === null ? 'null' : text(value));
  const key = (name: string) => `, ${text(name)}: `;

  const source = `{${text('source')}: `;
  const counterName = key('counter_name');
  const counterType = key('counter_type');
  const counterUnit = key('counter_unit');
  const counterVolume = key('counter_volume');
  const userId = key('user_id');
  const userName = key('user_name');
  const projectId = key('project_id');
  const projectName = key('project_name');
  const resourceId = key('resource_id');
  const timestamp = key('timestamp');
  const resourceMetadata = key('resource_metadata');
  const messageId = key('message_id');
  const monotonicTime = key('monotonic_time');
  const messageSignature = key('message_signature');

  function ofMetadata(metadata: Metadata): MetadataText {
    let found = metadataTexts.get(metadata);
    if (found === undefined) {
      const signed = signing ? signedText(metadata, 'resource_metadata') : '';
      found = { json: Buffer.from(stringifyJson(metadata, form), 'latin1'), signed: Buffer.from(signed, 'utf8') };
      metadataTexts.set(metadata, found);
    }
    return found;
  }

  function ofMeter(sample: Sample): MeterText {
    if (meterText === undefined || !sameMeter(meterText.of, sample)) {
      const { name, type, unit } = sample;
      const json = `${source}${text(sample.source)}${counterName}${text(name)}${counterType}${text(type)}${counterUnit}${text(unit)}${counterVolume}`;
      meterText = {
        of: sample,
        json,
        signed: `counter_name${name}counter_type${type}counter_unit${unit}counter_volume`,
      };
    }
    return meterText;
  }

  return function encode(sample) {
    const meter = ofMeter(sample);
    const metadata = ofMetadata(sample.metadata);
    const { volume, monotonicTime: at } = sample;
    const volumeText = typeof volume === 'bigint' ? String(volume) : jsonFloat(volume);
    const timeText = at === null ? 'null' : jsonFloat(at);
    const before =
      meter.json +
      volumeText +
      userId +
      orNull(sample.userId) +
      userName +
      orNull(sample.userName) +
      projectId +
      orNull(sample.projectId) +
      projectName +
      orNull(sample.projectName) +
      resourceId +
      text(sample.resourceId) +
      timestamp +
      text(sample.timestamp) +
      resourceMetadata;
    const signature = signing ? sign(textBefore(sample, meter.signed), metadata.signed, textAfter(sample)) : '';
    const after = `${messageId}${text(sample.id)}${monotonicTime}${timeText}${messageSignature}${text(signature)}}`;
    return { before, metadata: metadata.json, after };
  };
}

/** The text as a whole. */
export function joinSampleText({ before, metadata, after }: SampleText): string {
  return before + metadata.toString('latin1') + after;
}

function sameMeter(a: Sample, b: Sample): boolean {
  return a.name === b.name && a.type === b.type && a.unit === b.unit && a.source === b.source;
}

/** What {@link signedText} would make of the sample's message up to its metadata: the order of keys never changes. */
function textBefore(sample: Sample, meter: string): string {
  const { volume, monotonicTime } = sample;
  return (
    `${meter}${typeof volume === 'bigint' ? volume : floatRepr(volume)}message_id${sample.id}` +
    `monotonic_time${monotonicTime === null ? 'None' : floatRepr(monotonicTime)}` +
    `project_id${sample.projectId ?? 'None'}project_name${sample.projectName ?? 'None'}` +
    `resource_id${sample.resourceId}`
  );
}

/** The same, what follows the metadata. */
function textAfter({ source, timestamp, userId, userName }: Sample): string {
  return `source${source}timestamp${timestamp}user_id${userId ?? 'None'}user_name${userName ?? 'None'}`;
}
