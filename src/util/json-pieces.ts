/** JSON that is written while other things go on. */

/**
 * The JSON text of a value, piece by piece. An iterable counts as a list and is walked only as the pieces are taken, so
 * that a long one need not be made at once; its elements are plain JSON. Lists and objects around it are taken apart.
 */
export function* jsonPieces(value: unknown): Generator<string> {
  if (typeof value !== 'object' || value === null) {
    yield JSON.stringify(value) ?? 'null';
  } else if (Array.isArray(value)) {
    yield* enclosed('[', value.values(), jsonPieces, ']');
  } else if (isIterable(value)) {
    yield* enclosed('[', value, plain, ']');
  } else {
    const members = Object.entries(value).filter(([, member]) => member !== undefined);
    yield* enclosed('{', members, memberPieces, '}');
  }
}

/** The same value with lists in the place of iterables. */
export function withLists(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(withLists);
  if (isIterable(value)) return Array.from(value);
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, withLists(member)]));
}

function* enclosed<T>(
  open: string,
  elements: Iterable<T>,
  pieces: (element: T) => Iterable<string>,
  close: string,
): Generator<string> {
  let before = open;
  for (const element of elements) {
    yield before;
    yield* pieces(element);
    before = ',';
  }
  yield before === open ? open + close : close;
}

function* memberPieces([key, value]: readonly [string, unknown]): Generator<string> {
  yield `${JSON.stringify(key)}:`;
  yield* jsonPieces(value);
}

function plain(element: unknown): readonly string[] {
  return [JSON.stringify(element) ?? 'null'];
}

function isIterable(value: object): value is Iterable<unknown> {
  return Symbol.iterator in value;
}
