/** Paths and commands: a literal text, or an expression that gives one. */
import type { JsonObject } from '../../wire/value.ts';
import { EvaluationError } from './python/errors.ts';
import { compileIfExpression } from './python/expression.ts';

export interface Template {
  readonly text: string;
  /** Whether what comes out depends on what services answer. */
  readonly computed: boolean;
  /** Throws {@link EvaluationError}. */
  render(inputs: JsonObject): string;
}

/** Throws `UnsupportedError`. */
export function compileTemplate(text: string, names: readonly string[]): Template {
  const expression = compileIfExpression(text, names);
  if (expression === undefined) return { text, computed: false, render: () => text };
  return {
    text,
    computed: true,
    render(inputs) {
      const value = expression(inputs);
      if (typeof value === 'string') return value;
      throw new EvaluationError('TypeError', `${text} gives no text`);
    },
  };
}
