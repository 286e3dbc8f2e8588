/** The collector of one process: what takes samples in, keeps the store in bounds, and tells how things are. */
import { describeError } from '../errors.ts';
import type { Delivery, Verdict } from '../messaging/listener.ts';
import type { Logger } from '../plugin.ts';
import { createDropLog } from '../util/drop-log.ts';
import { createIntake } from './intake.ts';
import type { MessageReader } from './messages.ts';
import { InvalidSample, type SampleRecord } from './record.ts';
import type { Arrival, Store } from './store/store.ts';

export interface RetentionOptions {
  /** Seconds that samples are kept; undefined for ever. */
  readonly timeToLive: number | undefined;
  readonly maxBytes: number | undefined;
}

/** Since the start of this process. */
interface ReceivedCounts {
  readonly samples: number;
  readonly stored: number;
  readonly duplicates: number;
  readonly unsigned: number;
  readonly badSignature: number;
  readonly invalid: number;
  readonly deadLetters: number;
}

export interface Collector {
  readonly store: Store;
  readonly retention: RetentionOptions;
  readonly received: ReceivedCounts;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  /** Takes a message of the broker. Resolves when its samples are committed. Never rejects. */
  handle(delivery: Delivery): Promise<Verdict>;
  /**
   * Takes samples of this process, each as a function that makes it a record; what throws `InvalidSample` is left out
   * and counted. Resolves when all others are committed; rejects when `kill` aborts before.
   */
  take(agent: string, samples: readonly (() => SampleRecord)[]): Promise<void>;
  /** Takes other settings from the next message and the next cleaning on. */
  change(settings: CollectorSettings): void;
  /** Ends the cleaning. What is under way is finished; the store stays open. */
  stop(): Promise<void>;
}

/** What can change while a collector runs. */
interface CollectorSettings {
  readonly read: MessageReader;
  readonly retention: RetentionOptions;
}

export interface CollectorParts extends CollectorSettings {
  readonly store: Store;
  readonly log: Logger;
  /** Aborts when work has to be broken off. */
  readonly kill: AbortSignal;
}

/** Milliseconds between two cleanings, and before the first. */
const CLEANING = 300_000;
const FIRST_CLEANING = 5000;

export function createCollector({ store, log, kill, ...first }: CollectorParts): Collector {
  let settings: CollectorSettings = first;
  const intake = createIntake(store, { log, kill });
  const counts = { samples: 0, unsigned: 0, badSignature: 0, invalid: 0, deadLetters: 0 };
  const unsigned = createDropLog(log, 'samples without a signature are kept out');
  const badSignature = createDropLog(log, 'samples with a wrong signature are kept out');
  const invalid = createDropLog(log, 'what should be a sample is none and is kept out');
  let timer: NodeJS.Timeout | undefined = setTimeout(clean, FIRST_CLEANING);
  let cleaning: Promise<void> = Promise.resolve();

  function clean(): void {
    cleaning = removeOld().finally(() => {
      if (timer !== undefined) timer = setTimeout(clean, CLEANING);
    });
  }

  async function removeOld(): Promise<void> {
    const { timeToLive, maxBytes } = settings.retention;
    const now = Date.now() * 1000;
    try {
      const before = timeToLive === undefined ? undefined : now - timeToLive * 1e6;
      const removed = await store.expire({ before, maxBytes, now });
      if (removed > 0) log.info({ samples: removed }, 'the oldest samples were removed');
    } catch (error) {
      log.warn({ reason: describeError(error) }, 'old samples could not be removed');
    }
  }

  async function handle(delivery: Delivery): Promise<Verdict> {
    try {
      const message = settings.read(delivery);
      if (message === undefined) return { kind: 'done' };
      const { agent, records } = message;
      counts.samples += records.length + message.unsigned + message.badSignature + message.invalid.length;
      counts.unsigned += message.unsigned;
      counts.badSignature += message.badSignature;
      counts.invalid += message.invalid.length;
      if (message.unsigned > 0) unsigned.note(agent, { agent, samples: message.unsigned });
      if (message.badSignature > 0) badSignature.note(agent, { agent, samples: message.badSignature });
      if (records.length > 0) await intake.take(records, arrivalsOf(agent, records));
      const [reason] = message.invalid;
      if (reason === undefined) return { kind: 'done' };
      return dead(`${message.invalid.length} of its samples are none: ${reason}`);
    } catch (error) {
      if (kill.aborted) return { kind: 'abandoned' };
      return dead(describeError(error));
    }
  }

  function dead(reason: string): Verdict {
    counts.deadLetters += 1;
    return { kind: 'dead', reason };
  }

  return {
    store,
    get retention() {
      return settings.retention;
    },
    startedAt: Date.now(),
    get received() {
      return { ...counts, ...intake.stats };
    },
    handle,
    async take(agent, samples) {
      const records: SampleRecord[] = [];
      for (const make of samples) {
        try {
          records.push(make());
        } catch (error) {
          if (!(error instanceof InvalidSample)) throw error;
          counts.invalid += 1;
          invalid.note(error.message, { agent, reason: error.message });
        }
      }
      counts.samples += samples.length;
      if (records.length > 0) await intake.take(records, arrivalsOf(agent, records));
    },
    change(next) {
      settings = next;
    },
    async stop() {
      clearTimeout(timer);
      timer = undefined;
      await cleaning;
    },
  };
}

/** One for each source in the message. */
function arrivalsOf(agent: string, records: readonly SampleRecord[]): readonly Arrival[] {
  const bySource = new Map<string, number>();
  for (const { source } of records) bySource.set(source, (bySource.get(source) ?? 0) + 1);
  const at = Date.now() * 1000;
  return [...bySource].map(([source, samples]) => ({ agent, source, at, samples }));
}
