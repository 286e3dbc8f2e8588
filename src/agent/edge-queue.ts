import type { Edge, Logger } from '../plugin.ts';
import type { Clock } from '../util/clock.ts';
import { scope } from '../util/scope.ts';
import type { Turns } from '../util/turns.ts';
import { createCycleCache } from './cycle-cache.ts';
import { FailureLog } from './failure-log.ts';
import type { PollsterRun } from './pollster-run.ts';
import { runSideBySide, samplesOf } from './run-side-by-side.ts';
import { IdNumbers } from './tally.ts';

export interface EdgeQueueSettings {
  readonly lanes: number;
  readonly clock: Clock;
  readonly log: Logger;
  /** Taken for each edge, so that a cycle that is due comes between two of them. */
  readonly takeTurn: Turns;
}

interface WaitingEdge {
  readonly edge: Edge;
  readonly runs: readonly PollsterRun[];
  readonly time: number;
}

/** Milliseconds for the poll of one edge; a cycle that is due waits that long at most. */
const EDGE_DEADLINE = 10_000;
/** Edges that may wait for their poll. */
const EDGES_MAX = 1_000;

/** The edges that a task polls between its cycles, one after the other. */
export class EdgeQueue {
  readonly #settings: EdgeQueueSettings;
  readonly #failures: FailureLog;
  readonly #waiting: WaitingEdge[] = [];
  #atWork: Promise<void> | undefined;
  #refused = 0;

  constructor(settings: EdgeQueueSettings) {
    this.#settings = settings;
    this.#failures = new FailureLog(settings.log, {
      begins: 'polling outside of the slots failed',
      ends: 'polling outside of the slots does not fail this way any more',
    });
  }

  /** Has these pollsters poll the edge, after what is in hand. */
  add(edge: Edge, runs: readonly PollsterRun[], kill: AbortSignal): void {
    const { clock, log } = this.#settings;
    if (this.#waiting.length >= EDGES_MAX) {
      if (this.#refused === 0) log.warn({ waiting: EDGES_MAX }, 'too many edges wait, further ones are not polled');
      this.#refused += 1;
      return;
    }
    this.#waiting.push({ edge, runs, time: edge.time ?? clock.now() });
    this.#atWork ??= this.#pollAll(kill).finally(() => {
      this.#atWork = undefined;
    });
  }

  /** Resolves when none waits any more. */
  async done(): Promise<void> {
    await this.#atWork;
  }

  async #pollAll(kill: AbortSignal): Promise<void> {
    const { log, takeTurn } = this.#settings;
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      const waiting = next;
      await takeTurn(() => this.#poll(waiting, kill));
    }
    if (this.#refused > 0) {
      log.info({ refused: this.#refused }, 'polling edges again');
      this.#refused = 0;
    }
  }

  async #poll({ edge, runs, time }: WaitingEdge, kill: AbortSignal): Promise<void> {
    const { lanes, log } = this.#settings;
    using limit = scope(kill, EDGE_DEADLINE, `the poll of ${edge.resource.id} outside of the slots`);
    const results = await runSideBySide(runs, lanes, {
      slot: `edge ${edge.key}`,
      signal: limit.signal,
      cache: createCycleCache(edge.known),
      polled: new Map(),
      ids: new IdNumbers(),
      only: [edge.resource],
      time,
    });
    const failures = kill.aborted ? [] : this.#failures.tell(results);
    const fields = { resource: edge.resource.id, edge: edge.key };
    log.info({ ...fields, samples: samplesOf(results), failures: failures.length }, 'polled outside of the slots');
  }
}
