import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createCollector } from '../../src/collector/collector.ts';
import { createIntake } from '../../src/collector/intake.ts';
import { createCollectorOutput } from '../../src/collector/output.ts';
import type { SampleRecord } from '../../src/collector/record.ts';
import type { Store } from '../../src/collector/store/store.ts';
import { ServiceError } from '../../src/errors.ts';
import { recordingLog } from '../helpers/recording-log.ts';
import { polled } from './rig.ts';
import { record } from './samples.ts';

const builtStore = fileURLToPath(new URL('../../dist/collector/store/worker-store.js', import.meta.url));

/** A real store in a thread, which only the built package can have. */
async function threadStore(): Promise<{ store: Store; path: string; open: () => Promise<Store> }> {
  const folder = mkdtempSync(join(tmpdir(), 'intake-'));
  const path = join(folder, 'c.db');
  const { openSqliteThread }: { openSqliteThread(path: string): Promise<Store> } = await import(builtStore);
  const store = await openSqliteThread(path);
  onTestFinished(async () => {
    await store.close().catch(() => {});
    rmSync(folder, { recursive: true });
  });
  return { store, path, open: () => openSqliteThread(path) };
}

const all = { start: undefined, end: undefined };
const page = { limit: 1000, after: undefined };

describe('the thread of SQLite', () => {
  it('stores and answers while this thread goes on', async () => {
    const { store } = await threadStore();
    const records = Array.from({ length: 5000 }, () => record({ volume: 2n ** 64n }));
    let turns = 0;
    const ticking = setInterval(() => {
      turns += 1;
    }, 1);

    const written = await store.write(records, []);
    clearInterval(ticking);

    expect(written).toEqual({ stored: 5000, duplicates: 0 });
    expect(turns).toBeGreaterThan(3);
    expect((await store.samples(all, page, true)).rows[0]).toEqual(records[0]);
  });

  it('says what is wrong, as an error that says who has to act', async () => {
    const { store, path, open } = await threadStore();

    await expect(open()).rejects.toMatchObject({
      code: 'ERR_CONFIG',
      message: `${path} is in use by process ${process.pid}`,
    });
    await store.close();
    await expect(store.status(0)).rejects.toMatchObject({ code: 'ERR_SERVICE' });
    const again = await open();
    expect((await again.status(0)).samples).toBe(0);
    await again.close();
  });
});

describe('the intake', () => {
  it('puts what comes meanwhile into one batch, and waits for a store that is away', async () => {
    const { store } = await threadStore();
    const log = recordingLog();
    let away = 3;
    const sizes: number[] = [];
    const shaky: Store = {
      ...store,
      async write(records, arrivals) {
        if (away > 0) {
          away -= 1;
          throw new ServiceError('away');
        }
        if (records.length > 0) sizes.push(records.length);
        return store.write(records, arrivals);
      },
    };
    const intake = createIntake(shaky, { log, kill: new AbortController().signal });

    await Promise.all(Array.from({ length: 20 }, () => intake.take([record(), record()], [])));

    expect(sizes).toEqual([2, 38]);
    expect(intake.stats).toEqual({ stored: 40, duplicates: 0 });
    expect(log.told).toEqual([
      'error the store does not take samples, they wait',
      'info the store takes samples again',
    ]);
  });

  it('keeps apart what the store refuses', async () => {
    const { store } = await threadStore();
    const picky: Store = {
      ...store,
      write: (records, arrivals) =>
        records.some(({ meter }) => meter === 'poison')
          ? Promise.reject(new ServiceError('no'))
          : store.write(records, arrivals),
    };
    const intake = createIntake(picky, { log: recordingLog(), kill: new AbortController().signal });
    const good = (): SampleRecord[] => [record()];

    const results = await Promise.allSettled(
      [good(), good(), [record({ meter: 'poison' })], good()].map((records) => intake.take(records, [])),
    );

    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'fulfilled']);
    expect(intake.stats.stored).toBe(3);
  });

  it('lets go when it is told to', async () => {
    const { store } = await threadStore();
    const kill = new AbortController();
    const dead: Store = { ...store, write: () => Promise.reject(new ServiceError('away')) };
    const intake = createIntake(dead, { log: recordingLog(), kill: kill.signal });

    const taken = intake.take([record()], []);
    setTimeout(() => kill.abort(new Error('enough')), 50);

    await expect(taken).rejects.toThrow('enough');
  });
});

describe('the output into a collector of this process', () => {
  it('settles when the samples are stored, and leaves out what is none', async () => {
    const { store } = await threadStore();
    const log = recordingLog();
    const kill = new AbortController().signal;
    const retention = { timeToLive: undefined, maxBytes: undefined };
    const collector = createCollector({ store, read: () => undefined, retention, log, kill });
    const output = createCollectorOutput(collector, { agent: 'here' });
    const { signal } = new AbortController();

    await output.publish([polled(1), polled(2), polled(3, { volume: Number.NaN })], signal);

    expect((await store.samples(all, page, true)).rows.map(({ volume }) => volume)).toEqual([1n, 2n]);
    expect(await output.flush(signal)).toBe(0);
    expect(collector.received).toMatchObject({ samples: 3, stored: 2, invalid: 1 });
    expect((await store.status(0)).agents).toMatchObject([{ agent: 'here', source: 'openstack', samples: 2 }]);
    expect(log.told).toEqual(['warn what should be a sample is none and is kept out']);
    await output.close();
    await collector.stop();
  });
});
