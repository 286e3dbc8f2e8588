/** The text of metadata as bytes. What is also in the text that it was made from stays there, and is copied from there. */
import { type Metadata, originOf } from '../sample.ts';
import { type JsonForm, jsonParts } from './json.ts';
import type { Page } from './page.ts';
import { signedParts } from './signature.ts';

/** Stretches of bytes, in the order in which they stand in a text: start and end by turns, see {@link append}. */
type Stretches = readonly number[];

export interface MetadataText<Kept = unknown> {
  /** Of this text alone. */
  readonly own: Uint8Array;
  /** Of the one that it was made from. */
  readonly shared: Uint8Array;
  readonly json: Stretches;
  /** Of the text that is signed. */
  readonly signed: Stretches;
  /** What whoever uses the text keeps with it. */
  kept: Kept | undefined;
}

/** A text in parts, with the position of its first byte. */
interface Parts {
  readonly parts: readonly string[];
  readonly at: number;
}

/** To copy a stretch apart from its neighbours costs as much as to keep so many bytes twice is worth. */
const SHORTEST = 40;
const NOTHING = new Uint8Array(0);

export function append(page: Page, { own, shared }: MetadataText, stretches: Stretches): void {
  for (let index = 0; index < stretches.length; index += 2) {
    const start = stretches[index] ?? 0;
    const end = stretches[index + 1] ?? 0;
    // Those of the shared bytes are told by the sign.
    if (start < 0) page.appendPart(shared, ~start, end);
    else page.appendPart(own, start, end);
  }
}

/** Makes the texts of metadata, each once for as long as the object lives. */
export function createMetadataTexts<Kept>(
  form: JsonForm,
  isSigned: boolean,
): (metadata: Metadata) => MetadataText<Kept> {
  const known = new WeakMap<Metadata, MetadataText<Kept>>();
  const partsOf = (metadata: Metadata) => ({
    json: jsonParts(metadata, form),
    signed: isSigned ? signedParts(metadata, 'resource_metadata') : [],
  });

  function whole(metadata: Metadata): MetadataText<Kept> {
    const { json, signed } = partsOf(metadata);
    const own = bytesOf(json.join('') + signed.join(''));
    const middle = lengthOf(json);
    return { own, shared: NOTHING, json: [0, middle], signed: [middle, own.length], kept: undefined };
  }

  function difference(metadata: Metadata, origin: Metadata): MetadataText<Kept> {
    const { own: shared } = textOf(origin);
    const [theirs, ours] = [partsOf(origin), partsOf(metadata)];
    const json = compare(ours.json, { parts: theirs.json, at: 0 }, 0);
    const signed = compare(ours.signed, { parts: theirs.signed, at: lengthOf(theirs.json) }, json.end);
    const own = bytesOf(json.own + signed.own);
    return { own, shared, json: json.stretches, signed: signed.stretches, kept: undefined };
  }

  function textOf(metadata: Metadata): MetadataText<Kept> {
    let text = known.get(metadata);
    if (text === undefined) {
      const origin = originOf(metadata);
      // What was made in several steps has nothing in common with bytes that are there.
      text = origin === undefined || originOf(origin) !== undefined ? whole(metadata) : difference(metadata, origin);
      known.set(metadata, text);
    }
    return text;
  }

  return textOf;
}

/** Finds the parts that are the same, in the same order. `from` is where the own text begins. */
function compare(parts: readonly string[], shared: Parts, from: number) {
  const starts = [shared.at];
  for (const part of shared.parts) starts.push((starts.at(-1) ?? 0) + Buffer.byteLength(part));
  const startOf = (index: number) => starts[index] ?? 0;
  const stretches: number[] = [];
  let own = '';
  let end = from;
  function add(text: string): void {
    if (text === '') return;
    const start = end;
    own += text;
    end += Buffer.byteLength(text);
    if (stretches.at(-1) === start && (stretches.at(-2) ?? -1) >= 0) stretches[stretches.length - 1] = end;
    else stretches.push(start, end);
  }
  let next = 0;
  for (let index = 0; index < parts.length; ) {
    const found = shared.parts.indexOf(parts[index] ?? '', next);
    let count = 0;
    while (found >= 0 && index + count < parts.length && parts[index + count] === shared.parts[found + count]) count++;
    if (startOf(found + count) - startOf(found) >= SHORTEST) {
      stretches.push(~startOf(found), startOf(found + count));
      next = found + count;
    } else {
      count = Math.max(1, count);
      add(parts.slice(index, index + count).join(''));
    }
    index += count;
  }
  // A copy has no room to grow.
  return { own, end, stretches: stretches.slice() };
}

function lengthOf(parts: readonly string[]): number {
  return parts.reduce((sum, part) => sum + Buffer.byteLength(part), 0);
}

function bytesOf(text: string): Uint8Array {
  const { buffer, byteOffset, length } = Buffer.from(text, 'utf8');
  // As a Buffer, its stretches would be made more slowly.
  return new Uint8Array(buffer, byteOffset, length);
}
