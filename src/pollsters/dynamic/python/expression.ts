/** Expressions as definitions have them: compiled when the file is loaded, worked out for each entry. */
import type { JsonObject, JsonValue } from '../../../wire/value.ts';
import { NotPythonError, UnsupportedError } from './errors.ts';
import { evaluate } from './evaluate.ts';
import { type Parsed, parse } from './parser.ts';
import { PYTHON_NAMES } from './vocabulary.ts';

/** Throws `EvaluationError`. The inputs stay as they are. */
export type Expression = (inputs: JsonObject) => JsonValue;

/** An expression over these names. Throws {@link UnsupportedError} for anything else. */
export function compile(text: string, names: readonly string[]): Expression {
  let parsed: Parsed;
  try {
    parsed = parse(text);
  } catch (error) {
    if (error instanceof NotPythonError) throw new UnsupportedError(`no Python expression: ${error.message}`);
    throw error;
  }
  refuse(parsed, names);
  return (inputs) => evaluate(parsed.root, inputs);
}

/**
 * A text that upstream first tries as an expression and takes literally when that fails: undefined when it is literal.
 * It is when it is no Python, or names what nobody defines, as every plain path does.
 */
export function compileIfExpression(text: string, names: readonly string[]): Expression | undefined {
  let parsed: Parsed;
  try {
    parsed = parse(text);
  } catch (error) {
    if (error instanceof NotPythonError) return undefined;
    throw error;
  }
  if ([...parsed.free].some((name) => !names.includes(name) && !PYTHON_NAMES.has(name))) return undefined;
  if (parsed.root.kind === 'name' && !names.includes(parsed.root.name)) return undefined;
  refuse(parsed, names);
  return (inputs) => evaluate(parsed.root, inputs);
}

function refuse({ unsupported, free }: Parsed, names: readonly string[]): void {
  const [first] = unsupported;
  if (first !== undefined) throw new UnsupportedError(`${first} is not supported`);
  const unknown = [...free].find((name) => !names.includes(name));
  if (unknown !== undefined) {
    throw new UnsupportedError(`the name ${unknown} is not known, ${names.length > 0 ? names.join(', ') : 'none'} is`);
  }
}
