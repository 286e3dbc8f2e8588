import type { PollsterFailure } from '../output/output.ts';
import type { Logger } from '../plugin.ts';
import type { RunResults } from './run-side-by-side.ts';

export interface FailureMessages {
  readonly begins: string;
  readonly ends: string;
}

/** Tells of each way to fail when it begins and when it ends, however many pollsters it hits. */
export class FailureLog {
  readonly #log: Logger;
  readonly #messages: FailureMessages;
  /** The reasons for which something failed the last time. */
  #failing: ReadonlySet<string> = new Set();

  constructor(log: Logger, messages: FailureMessages) {
    this.#log = log;
    this.#messages = messages;
  }

  /** Returns all failures, told or not. What others have logged is not told. */
  tell(results: RunResults): readonly PollsterFailure[] {
    const failures: PollsterFailure[] = [];
    const byMessage = new Map<string, { pollsters: string[]; unexpected: unknown }>();
    for (const [{ source, entry }, { failure, isLogged, unexpected }] of results) {
      if (failure === undefined) continue;
      failures.push({ source: source.name, pollster: entry.name, message: failure });
      if (isLogged === true) continue;
      const group = byMessage.get(failure) ?? { pollsters: [], unexpected };
      group.pollsters.push(entry.name);
      byMessage.set(failure, group);
    }
    for (const [reason, { pollsters, unexpected }] of byMessage) {
      if (this.#failing.has(reason)) continue;
      const fields = { pollsters: pollsters.length, first: pollsters[0], reason };
      this.#log.error(unexpected === undefined ? fields : { ...fields, err: unexpected }, this.#messages.begins);
    }
    for (const reason of this.#failing) {
      if (!byMessage.has(reason)) this.#log.info({ reason }, this.#messages.ends);
    }
    this.#failing = new Set(byMessage.keys());
    return failures;
  }
}
