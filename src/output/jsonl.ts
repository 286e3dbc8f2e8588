import type { Writable } from 'node:stream';
import { DeliveryError } from '../errors.ts';
import { createSampleWriter } from '../wire/meter-message.ts';
import { Page } from '../wire/page.ts';
import type { Output } from './output.ts';
import { StreamWriter } from './stream-writer.ts';

export interface JsonlOutputOptions {
  readonly stream: Writable;
  /** `[publisher] telemetry_secret`; with an empty one the signatures are empty. */
  readonly secret: string;
  /** Called once when there is nobody left to read, e.g. after `| head`. */
  readonly onGone?: () => void;
}

/** One sample a line, in the words and the order of the wire. */
export function createJsonlOutput({ stream, secret, onGone }: JsonlOutputOptions): Output {
  const writer = new StreamWriter({ stream, name: 'the output', ...(onGone && { onGone }) });
  const write = createSampleWriter(secret, 'plain');

  return {
    async publish(batch, signal) {
      // Others wait beside this one, and whoever comes first may fill the room again.
      while (writer.blocked && !signal.aborted) await writer.room(signal);
      if (writer.blocked) {
        throw new DeliveryError(`the output was not read in time, ${batch.length} samples are not in it`, {
          cause: signal.reason,
          retryable: true,
        });
      }
      const page = new Page();
      for (const sample of batch) {
        write(sample, page);
        page.write('\n');
      }
      writer.write(page.toString(), batch.length);
    },
    async flush(signal) {
      await writer.flush(signal);
      return writer.pending;
    },
    async close() {
      writer.close();
    },
  };
}
