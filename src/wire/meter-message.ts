/** Samples as upstream puts them on the wire: fifteen keys in a fixed order, the last one the signature. */
import type { Sample } from '../sample.ts';
import { type JsonForm, jsonFloat, jsonString, jsonText } from './json.ts';
import { append, createMetadataTexts } from './metadata-text.ts';
import type { Page } from './page.ts';
import { floatRepr } from './python-repr.ts';
import { createPageSigner } from './signature.ts';

/** Puts the JSON text of a sample, signed, on a page. All of it is ASCII. */
export type SampleWriter = (sample: Sample, page: Page) => void;

/** A piece of the message, and the piece of the signed text that stands for the same. As bytes they are cheap to copy. */
interface Piece {
  readonly json: Buffer;
  readonly signed: Buffer;
}

/** Who a resource belongs to, the same for many resources. */
interface Owner {
  readonly of: Pick<Sample, 'projectId' | 'projectName' | 'userId' | 'userName'>;
  readonly ids: Piece;
  readonly user: Buffer;
}

/** As many as there may be projects with a machine here. */
const OWNERS_MAX = 1_000;

/**
 * Makes a writer for one secret; an empty one leaves the signature empty. What samples have in common is written once:
 * for a resource as long as its metadata is the same object, for a meter and a time until the next one comes.
 */
export function createSampleWriter(secret: string, form: JsonForm): SampleWriter {
  const signer = secret === '' ? undefined : createPageSigner(secret);
  const textOf = createMetadataTexts<Owner>(form, signer !== undefined);
  const owners = new Map<string, Owner>();
  const text = (value: string) => jsonString(value, form);
  const orNull = (value: string | null) => (value === null ? 'null' : text(value));
  const key = (name: string) => `, ${text(name)}: `;
  const quote = form === 'nested' ? '\\"' : '"';
  const messageId = piece(`${key('message_id')}${quote}`, 'message_id');
  const end = Buffer.from(`${quote}}`, 'latin1');

  const ofMeter = lastOne(sameMeter, ({ source, name, type, unit }: Sample) =>
    piece(
      `{${text('source')}: ${text(source)}${key('counter_name')}${text(name)}${key('counter_type')}${text(type)}` +
        `${key('counter_unit')}${text(unit)}${key('counter_volume')}`,
      `counter_name${name}counter_type${type}counter_unit${unit}counter_volume`,
    ),
  );

  const ofTime = lastOne(sameTime, ({ source, timestamp }: Sample) =>
    piece(
      `${quote}${key('timestamp')}${text(timestamp)}${key('resource_metadata')}`,
      `source${source}timestamp${timestamp}`,
    ),
  );

  /** The readings of one answer have one time. */
  const ofClock = lastOne(sameClock, ({ monotonicTime: at }: Sample) =>
    piece(
      `${quote}${key('monotonic_time')}${at === null ? 'null' : jsonFloat(at)}${key('message_signature')}${quote}`,
      `monotonic_time${at === null ? 'None' : floatRepr(at)}`,
    ),
  );

  function ofOwner({ userId, userName, projectId, projectName }: Sample): Owner {
    const name = JSON.stringify([userId, userName, projectId, projectName]);
    let owner = owners.get(name);
    if (owner === undefined) {
      owner = {
        of: { userId, userName, projectId, projectName },
        ids: piece(
          `${key('user_id')}${orNull(userId)}${key('user_name')}${orNull(userName)}` +
            `${key('project_id')}${orNull(projectId)}${key('project_name')}${orNull(projectName)}` +
            `${key('resource_id')}${quote}`,
          `project_id${projectId ?? 'None'}project_name${projectName ?? 'None'}resource_id`,
        ),
        user: Buffer.from(`user_id${userId ?? 'None'}user_name${userName ?? 'None'}`, 'utf8'),
      };
      if (owners.size >= OWNERS_MAX) owners.clear();
      owners.set(name, owner);
    }
    return owner;
  }

  return function write(sample, page) {
    // First what may throw, for metadata that JSON cannot carry.
    const metadata = textOf(sample.metadata);
    const { kept } = metadata;
    const owner = kept !== undefined && sameOwner(kept.of, sample) ? kept : ofOwner(sample);
    metadata.kept = owner;
    const { id, volume, resourceId } = sample;
    const meter = ofMeter(sample);
    const time = ofTime(sample);
    const clock = ofClock(sample);
    const isInteger = typeof volume === 'bigint';
    const idText = jsonText(id, form);
    const resourceText = jsonText(resourceId, form);
    const digits = isInteger ? String(volume) : jsonFloat(volume);

    page.append(meter.json);
    page.write(digits);
    page.append(owner.ids.json);
    page.write(resourceText);
    page.append(time.json);
    append(page, metadata.json);
    page.append(messageId.json);
    page.write(idText);
    page.append(clock.json);
    if (signer !== undefined) {
      // The order of names never changes: what signedText() would make of the whole message.
      const signed = signer.begin();
      signed.append(meter.signed);
      signed.write(isInteger ? digits : floatRepr(volume));
      signed.append(messageId.signed);
      // As a rule ids are ASCII without quotes, which is the same in both.
      if (idText === id) signed.write(id);
      else signed.writeUtf8(id);
      signed.append(clock.signed);
      signed.append(owner.ids.signed);
      if (resourceText === resourceId) signed.write(resourceId);
      else signed.writeUtf8(resourceId);
      append(signed, metadata.signed);
      signed.append(time.signed);
      signed.append(owner.user);
      page.write(signer.end());
    }
    page.append(end);
  };
}

function piece(json: string, signed: string): Piece {
  return { json: Buffer.from(json, 'latin1'), signed: Buffer.from(signed, 'utf8') };
}

/** Makes the piece anew when the sample differs from the one before in what the piece is made of. */
function lastOne(same: (a: Sample, b: Sample) => boolean, make: (sample: Sample) => Piece): (sample: Sample) => Piece {
  let last: { readonly of: Sample; readonly piece: Piece } | undefined;
  return (sample) => {
    if (last === undefined || !same(last.of, sample)) last = { of: sample, piece: make(sample) };
    return last.piece;
  };
}

function sameMeter(a: Sample, b: Sample): boolean {
  return a.name === b.name && a.type === b.type && a.unit === b.unit && a.source === b.source;
}

function sameTime(a: Sample, b: Sample): boolean {
  return a.timestamp === b.timestamp && a.source === b.source;
}

function sameClock(a: Sample, b: Sample): boolean {
  return a.monotonicTime === b.monotonicTime;
}

function sameOwner(a: Owner['of'], b: Owner['of']): boolean {
  return (
    a.projectId === b.projectId && a.projectName === b.projectName && a.userId === b.userId && a.userName === b.userName
  );
}
