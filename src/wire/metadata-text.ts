/** The text of metadata. What is also in the text that it was made from is kept there, and is a slice of it here. */
import { type Metadata, originOf } from '../sample.ts';
import { type JsonForm, jsonParts } from './json.ts';
import type { Page } from './page.ts';
import { signedParts } from './signature.ts';

/** Text in pieces, whose characters stand for a byte each: of a slice V8 keeps but where it begins and how long it is. */
type Pieces = readonly string[];

export interface MetadataText<Kept = unknown> {
  readonly json: Pieces;
  /** Of the text that is signed. */
  readonly signed: Pieces;
  /** What whoever uses the text keeps with it. */
  kept: Kept | undefined;
}

/** To write a slice apart from its neighbours costs as much as to keep so many bytes twice is worth. */
const SHORTEST = 40;

export function append(page: Page, pieces: Pieces): void {
  for (const piece of pieces) page.write(piece);
}

/** Makes the texts of metadata, each once for as long as the object lives. */
export function createMetadataTexts<Kept>(
  form: JsonForm,
  isSigned: boolean,
): (metadata: Metadata) => MetadataText<Kept> {
  const known = new WeakMap<Metadata, MetadataText<Kept>>();
  const partsOf = (metadata: Metadata) => ({
    json: jsonParts(metadata, form),
    signed: isSigned ? signedParts(metadata, 'resource_metadata').map(bytesOf) : [],
  });

  function whole(metadata: Metadata): MetadataText<Kept> {
    const { json, signed } = partsOf(metadata);
    return { json: [json.join('')], signed: [signed.join('')], kept: undefined };
  }

  function difference(metadata: Metadata, origin: Metadata): MetadataText<Kept> {
    const [theirs, ours] = [partsOf(origin), partsOf(metadata)];
    const { json, signed } = textOf(origin);
    return {
      json: slices(ours.json, theirs.json, json.join('')),
      signed: slices(ours.signed, theirs.signed, signed.join('')),
      kept: undefined,
    };
  }

  function textOf(metadata: Metadata): MetadataText<Kept> {
    let text = known.get(metadata);
    if (text === undefined) {
      const origin = originOf(metadata);
      // What was made in several steps has nothing in common with a text that is there.
      text = origin === undefined || originOf(origin) !== undefined ? whole(metadata) : difference(metadata, origin);
      known.set(metadata, text);
    }
    return text;
  }

  return textOf;
}

/** The parts put together, where they are those of the other text in the same order as slices of it. */
function slices(parts: Pieces, otherParts: Pieces, other: string): Pieces {
  const starts = [0];
  for (const part of otherParts) starts.push((starts.at(-1) ?? 0) + part.length);
  const pieces: string[] = [];
  let own: string[] = [];
  function endOwn(): void {
    // Joined, not added up: a string that was added up stays in pieces.
    if (own.length > 0) pieces.push(own.join(''));
    own = [];
  }
  let next = 0;
  for (let index = 0; index < parts.length; ) {
    const found = otherParts.indexOf(parts[index] ?? '', next);
    let count = 0;
    while (found >= 0 && index + count < parts.length && parts[index + count] === otherParts[found + count]) count++;
    const slice = found < 0 ? '' : other.slice(starts[found], starts[found + count]);
    if (slice.length >= SHORTEST) {
      endOwn();
      pieces.push(slice);
      next = found + count;
    } else {
      count = Math.max(1, count);
      own.push(...parts.slice(index, index + count));
    }
    index += count;
  }
  endOwn();
  // A copy has no room to grow.
  return pieces.slice();
}

function bytesOf(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}
