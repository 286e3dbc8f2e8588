/** What the benchmarks of a file stand on: a folder and a broker of their own. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import { type Rabbitmq, startRabbitmq } from '../test/helpers/rabbitmq.ts';

export interface Place {
  readonly folder: string;
  readonly broker: Rabbitmq;
}

/** Called inside a `describe`; what it returns is there once its tests run. */
export function usePlace(): Place {
  const folder = mkdtempSync(join(tmpdir(), 'bench-'));
  let broker: Rabbitmq | undefined;

  beforeAll(async () => {
    broker = await startRabbitmq();
  });

  afterAll(async () => {
    await broker?.[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true, force: true });
  });

  return {
    folder,
    get broker() {
      if (broker === undefined) throw new Error('the broker has not started');
      return broker;
    },
  };
}
