import { Writable, type WritableOptions } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import type { CycleReport } from '../../src/output/output.ts';
import type { Sample } from '../../src/sample.ts';

export function sample(fields: Partial<Sample> = {}): Sample {
  return {
    id: '0b0b1f6e-52ac-5b6f-9a43-3a0d6d4b7a01',
    name: 'hardware.memory.total',
    type: 'gauge',
    unit: 'KB',
    volume: 2048n,
    resourceId: 'cn1',
    projectId: null,
    projectName: null,
    userId: null,
    userName: null,
    timestamp: '2026-11-20T12:00:00',
    monotonicTime: 12.5,
    metadata: {},
    source: 'openstack',
    ...fields,
  };
}

export function report(fields: Partial<CycleReport> = {}): CycleReport {
  return {
    interval: 10,
    sources: ['host'],
    slot: 1,
    startedAt: new Date(2026, 10, 20, 9, 8, 7).getTime(),
    seconds: 0.0123,
    pollsters: 31,
    samples: 1,
    failures: [],
    missedSlots: 0,
    ...fields,
  };
}

/** A stream that keeps what is written, and takes more only as often as it is told to. */
export class SlowStream extends Writable {
  text = '';
  isTTY = false;
  columns = 80;
  #waiting: ((error?: Error) => void)[] = [];
  #stalled = false;

  constructor(options: WritableOptions = {}) {
    super({ ...options, decodeStrings: false });
  }

  override _write(chunk: string, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    const finish = (error?: Error) => {
      if (error === undefined) this.text += chunk;
      done(error ?? null);
    };
    if (this.#stalled) this.#waiting.push(finish);
    else finish();
  }

  stall(): void {
    this.#stalled = true;
  }

  resume(): void {
    this.#stalled = false;
    for (const finish of this.#waiting.splice(0)) finish();
  }

  async fail(code: string): Promise<void> {
    for (const finish of this.#waiting.splice(0)) finish(Object.assign(new Error(`write ${code}`), { code }));
    await setImmediate();
  }
}

export const patient = new AbortController().signal;
