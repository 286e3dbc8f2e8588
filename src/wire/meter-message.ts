/** Samples as upstream puts them on the wire: fifteen keys in a fixed order, the last one the signature. */
import type { Metadata, Sample } from '../sample.ts';
import { type JsonForm, jsonFloat, jsonString, stringifyJson } from './json.ts';
import { floatRepr } from './python-repr.ts';
import { createSigner, signedText } from './signature.ts';

/** JSON text of a sample, signed. */
export type SampleEncoder = (sample: Sample) => string;

interface MetadataText {
  readonly json: string;
  readonly signed: string;
}

/**
 * Makes an encoder for one secret; an empty one leaves the signature empty. Metadata makes up most of a sample and is
 * shared between the samples of a resource, so its text is kept for as long as the object lives.
 */
export function createSampleEncoder(secret: string, form: JsonForm): SampleEncoder {
  const sign = createSigner(secret);
  const known = new WeakMap<Metadata, MetadataText>();
  const text = (value: string) => jsonString(value, form);
  const key = (name: string) => `${text(name)}: `;

  const open = `{${key('source')}`;
  const counterName = `, ${key('counter_name')}`;
  const counterType = `, ${key('counter_type')}`;
  const counterUnit = `, ${key('counter_unit')}`;
  const counterVolume = `, ${key('counter_volume')}`;
  const userId = `, ${key('user_id')}`;
  const userName = `, ${key('user_name')}`;
  const projectId = `, ${key('project_id')}`;
  const projectName = `, ${key('project_name')}`;
  const resourceId = `, ${key('resource_id')}`;
  const timestamp = `, ${key('timestamp')}`;
  const resourceMetadata = `, ${key('resource_metadata')}`;
  const messageId = `, ${key('message_id')}`;
  const monotonicTime = `, ${key('monotonic_time')}`;
  const messageSignature = `, ${key('message_signature')}`;

  function metadataText(metadata: Metadata): MetadataText {
    let found = known.get(metadata);
    if (found === undefined) {
      found = { json: stringifyJson(metadata, form), signed: signedText(metadata, 'resource_metadata') };
      known.set(metadata, found);
    }
    return found;
  }

  return function encode(sample) {
    const metadata = metadataText(sample.metadata);
    return (
      open +
      text(sample.source) +
      counterName +
      text(sample.name) +
      counterType +
      text(sample.type) +
      counterUnit +
      text(sample.unit) +
      counterVolume +
      (typeof sample.volume === 'bigint' ? sample.volume : jsonFloat(sample.volume)) +
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
      resourceMetadata +
      metadata.json +
      messageId +
      text(sample.id) +
      monotonicTime +
      (sample.monotonicTime === null ? 'null' : jsonFloat(sample.monotonicTime)) +
      messageSignature +
      text(sign(sampleText(sample, metadata.signed))) +
      '}'
    );
  };

  function orNull(value: string | null): string {
    return value === null ? 'null' : text(value);
  }
}

/** What {@link signedText} would make of the sample's message, whose order of keys never changes. */
function sampleText(sample: Sample, metadata: string): string {
  return (
    `counter_name${sample.name}counter_type${sample.type}counter_unit${sample.unit}` +
    `counter_volume${typeof sample.volume === 'bigint' ? sample.volume : floatRepr(sample.volume)}` +
    `message_id${sample.id}` +
    `monotonic_time${sample.monotonicTime === null ? 'None' : floatRepr(sample.monotonicTime)}` +
    `project_id${sample.projectId ?? 'None'}project_name${sample.projectName ?? 'None'}` +
    `resource_id${sample.resourceId}${metadata}` +
    `source${sample.source}timestamp${sample.timestamp}` +
    `user_id${sample.userId ?? 'None'}user_name${sample.userName ?? 'None'}`
  );
}
