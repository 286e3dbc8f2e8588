import { ServiceError } from '../../../errors.ts';

/** The text is no Python expression. */
export class NotPythonError extends Error {}

/** It is Python, but more of it than definitions may use. */
export class UnsupportedError extends Error {}

/** Python's name for what went wrong while an expression was evaluated. */
export type Fault =
  | 'KeyError'
  | 'IndexError'
  | 'NameError'
  | 'TypeError'
  | 'ValueError'
  | 'ZeroDivisionError'
  | 'limit';

export class EvaluationError extends ServiceError {
  readonly fault: Fault;

  constructor(fault: Fault, message: string) {
    super(message);
    this.fault = fault;
  }
}

/** Python's `LookupError`: what was looked for is not there. */
export function isMissing(error: unknown): boolean {
  return error instanceof EvaluationError && (error.fault === 'KeyError' || error.fault === 'IndexError');
}
