/** Attribute expressions: a path into an entry, and operations on what is there. */
import type { JsonValue } from '../../wire/value.ts';
import { UnsupportedError } from './python/errors.ts';
import { compile } from './python/expression.ts';
import { lookUp } from './python/values.ts';

export interface Attribute {
  /** As it is written; the name of a metadata field. */
  readonly text: string;
  /** Throws `EvaluationError`, for a missing key too. */
  read(entry: JsonValue): JsonValue;
}

/** Throws {@link UnsupportedError}. As upstream, every `|` separates: an operation cannot contain one. */
export function compileAttribute(text: string): Attribute {
  const [path = '', ...operations] = text.split('|').map((part) => part.trim());
  const steps = path === '.' ? [] : path.split('.');
  const compiled = operations.map((operation) => {
    if (!operation.includes('value')) throw new UnsupportedError(`the operation ${operation} does not use value`);
    return compile(operation, ['value']);
  });
  return {
    text,
    read(entry) {
      let value = entry;
      for (const step of steps) value = lookUp(value, step);
      for (const operation of compiled) value = operation({ value });
      return value;
    },
  };
}
