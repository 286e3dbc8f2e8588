/** The shapes that YAML files have in common. Their messages have the words of an operator; see `expectedGot`. */
import * as v from 'valibot';
import { expectedGot } from './yaml.ts';

const isMapping = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date);

/** Valibot takes a list for an object, too. */
const anyMapping = v.custom<Readonly<Record<string, unknown>>>(isMapping, ({ input }) =>
  expectedGot('a mapping', input),
);

/** A mapping with known keys, and maybe others. A key that is missing is told as what should be there. */
export function mapping<const E extends v.ObjectEntries>(entries: E) {
  const missing = Object.fromEntries(Object.keys(entries).map((key) => [key, undefined]));
  return v.pipe(
    anyMapping,
    v.transform((value): unknown => ({ ...missing, ...value })),
    v.looseObject(entries),
  );
}

/** A mapping from any keys to values of one kind. */
export function mappingOf<const S extends v.GenericSchema>(values: S) {
  return v.pipe(anyMapping, v.record(v.string(), values));
}

/** Python takes a number as well. */
export const name = v.pipe(
  v.custom<string | number>(
    (value) => typeof value === 'number' || (typeof value === 'string' && value !== ''),
    ({ input }) => expectedGot('a name', input),
  ),
  v.transform(String),
);

/** A list of texts of which none is empty. */
export const names = v.array(
  v.pipe(
    v.string(),
    v.nonEmpty(({ input }) => expectedGot('a text', input)),
  ),
);

/** Refuses the second of two that have one name. */
export function uniqueNames<T extends { readonly name: string }>(message: (name: string) => string) {
  return v.rawCheck<T[]>(({ dataset, addIssue }) => {
    if (!dataset.typed) return;
    const items = dataset.value;
    for (const [at, item] of items.entries()) {
      if (items.findIndex((other) => other.name === item.name) === at) continue;
      addIssue({ message: message(item.name), path: [stepTo(items, at), stepTo(item, 'name')] });
    }
  });
}

/** A step of the path to what an issue is about. */
export function stepTo(input: object, key: string | number): v.IssuePathItem {
  const value: unknown = Reflect.get(input, key);
  return { type: 'unknown', origin: 'value', input, key, value };
}
