/** Resources that are asked about one by one: what happens to one concerns that one. */
import { describeError, ServiceError } from '../../errors.ts';
import { type PollContext, type Resource, statusOf } from '../../plugin.ts';
import { inOrder } from '../../util/in-order.ts';
import type { Central } from './central.ts';

export interface Asking<R, A> {
  /** For the log. */
  readonly what: string;
  /** Resources vanish between the list and the question: 404 is nothing to tell of. */
  readonly mayVanish?: true;
  readonly ask: (resource: R) => Promise<A>;
}

/** Requests of one pollster that are under way at a time. */
const AHEAD = 8;
/** A service that fails this often in a row is not asked about the rest. */
const PATIENCE = 8;

type Outcome<R, A> = { readonly resource: R; readonly answer: A } | { readonly resource: R; readonly error: unknown };

/**
 * The answers, in the order of the resources. Those that may not be seen or are not there (403, 404) are left out,
 * with one warning when that begins. Others that fail are left out, too; at the end the first failure is thrown.
 */
export async function* askEach<R extends Resource, A>(
  central: Central,
  resources: readonly R[],
  ctx: PollContext,
  { what, mayVanish, ask }: Asking<R, A>,
): AsyncGenerator<readonly [R, A]> {
  const refused: Refusal[] = [];
  let failed = 0;
  let inARow = 0;
  let first: unknown;
  const outcomes = inOrder(
    resources,
    AHEAD,
    (resource): Promise<Outcome<R, A>> =>
      ask(resource).then(
        (answer) => ({ resource, answer }),
        (error: unknown) => ({ resource, error }),
      ),
  );
  for await (const outcome of outcomes) {
    if ('answer' in outcome) {
      inARow = 0;
      yield [outcome.resource, outcome.answer];
      continue;
    }
    const { resource, error } = outcome;
    const status = statusOf(error);
    if (ctx.signal.aborted) throw error;
    if (status === 403 || status === 404) {
      if (status === 403 || mayVanish !== true) refused.push({ id: resource.id, error });
      continue;
    }
    first ??= error;
    failed += 1;
    inARow += 1;
    if (inARow >= PATIENCE) throw error;
  }
  tellOf(central, what, refused);
  if (failed > 0) {
    const message = `${what}: ${failed} of ${resources.length} failed, first: ${describeError(first)}`;
    throw new ServiceError(message, { cause: first });
  }
}

interface Refusal {
  readonly id: string;
  readonly error: unknown;
}

function tellOf(central: Central, what: string, refused: readonly Refusal[]): void {
  const [first] = refused;
  if (first === undefined) {
    central.fine(`${what} refused`);
    return;
  }
  const fields = { of: what, resources: refused.length, first: first.id, err: first.error };
  central.troubled(`${what} refused`, fields, 'some resources may not be seen or are not there, they are left out');
}
