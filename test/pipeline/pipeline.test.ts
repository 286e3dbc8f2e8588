import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DeliveryError } from '../../src/errors.ts';
import type { NotificationSample } from '../../src/notification.ts';
import { deliver } from '../../src/pipeline/deliver.ts';
import { createSamplePipelines } from '../../src/pipeline/pipeline.ts';
import { readPipelineFile } from '../../src/pipeline/pipeline-file.ts';
import { redactPublisherUrl } from '../../src/pipeline/publisher-url.ts';
import type { LoadedPublisher } from '../../src/pipeline/publishers.ts';
import { testPublisher } from '../../src/publishers/test.ts';
import { ValueError } from '../../src/python/value.ts';
import type { JsonValue } from '../../src/wire/value.ts';
import { recordingLog } from '../helpers/recording-log.ts';

function sample(name: string, volume: JsonValue = 1): NotificationSample {
  const nothing = { userId: null, userName: null, projectId: null, projectName: null };
  const rest = { unit: 'u', resourceId: 'r', timestamp: 't', metadata: {}, source: 's', id: 'i' };
  return { name, volume, type: 'gauge', ...nothing, ...rest };
}

describe('pipeline files', () => {
  let folder: string;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'ceilometer-pipeline-'));
  });

  afterAll(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  function read(text: string) {
    const path = join(folder, 'pipeline.yaml');
    writeFileSync(path, text);
    return readPipelineFile('sample', path);
  }

  it('are read as upstream reads them', () => {
    const file = read(`
sources:
- {name: all, meters: ['*'], sinks: [a, b]}
- {name: some, meters: ['!disk.*'], sinks: [b]}
- {name: short, meters: '*', sinks: [a]}
sinks:
- {name: a, publishers: [notifier]}
- {name: b, publishers: ['file:///x?json', 'udp://h:1']}
`);

    expect(file.sources.map(({ name, selection, sinks }) => [name, selection, sinks])).toEqual([
      ['all', ['*'], ['a', 'b']],
      ['some', ['!disk.*'], ['b']],
      ['short', ['*'], ['a']],
    ]);
    expect(file.sinks.map(({ publishers }) => publishers)).toEqual([['notifier'], ['file:///x?json', 'udp://h:1']]);
  });

  it.each([
    ['sources: []\n', /sinks: expected a list/],
    [
      'sources: [{name: a, meters: ["*"], sinks: [nob]}]\nsinks: [{name: nod, publishers: [x]}]\n',
      /no sink is named nob, did you mean nod/,
    ],
    ['sources: [{name: a, meters: [x, "!y"], sinks: [s]}]\nsinks: [{name: s, publishers: [x]}]\n', /both "x" and "!y"/],
    ['sources: [{name: a, sinks: [s]}]\nsinks: [{name: s, publishers: [x]}]\n', /meters: expected a list/],
    ['sources: []\nsinks: [{name: s, publishers: []}]\n', /publishers: expected at least one/],
    ['sources: []\nsinks: [{name: s, publishers: [x]}, {name: s, publishers: [x]}]\n', /"s" is taken already/],
    ['sources: [\n', /not valid YAML/],
  ])('are refused with file and line: %j', (text, reason) => {
    expect(() => read(text)).toThrow(reason);
    expect(() => read(text)).toThrow(/pipeline\.yaml:\d/);
  });

  it('have their unknown keys told', () => {
    const file = read('sources: []\nsinks: [{name: s, publishers: [x], transformers: []}]\n');

    expect(file.warnings).toEqual([expect.stringMatching(/pipeline\.yaml:2: unknown key transformers/)]);
  });
});

describe('pipelines', () => {
  const log = recordingLog();
  const publishers = new Map<string, LoadedPublisher>();
  const publisherOf = (url: string): LoadedPublisher => {
    const loaded = publishers.get(url) ?? { name: url, publisher: testPublisher() };
    publishers.set(url, loaded);
    return loaded;
  };
  const file = {
    path: 'pipeline.yaml',
    warnings: [],
    sources: [
      { name: 'disks', selection: ['disk.*'], sinks: ['one'] },
      { name: 'rest', selection: ['!disk.*'], sinks: ['one', 'two'] },
    ],
    sinks: [
      { name: 'one', publishers: ['a', 'b'], where: [] },
      { name: 'two', publishers: ['a'], where: [] },
    ],
  };
  const pipelines = createSamplePipelines(file, publisherOf, log);
  const routes = (samples: readonly NotificationSample[]) =>
    pipelines.route(samples).map(({ publisher, samples: sent }) => [publisher.name, sent.map(({ name }) => name)]);

  it('send each sample to every publisher of every sink that wants it', () => {
    expect(routes([sample('disk.size'), sample('cpu')])).toEqual([
      ['a', ['disk.size']],
      ['b', ['disk.size']],
      ['a', ['cpu']],
      ['b', ['cpu']],
      ['a', ['cpu']],
    ]);
  });

  it('leave out samples whose volume is no number, and pass texts that are one as they are', () => {
    const before = pipelines.dropped;

    expect(
      routes([sample('disk.a', null), sample('disk.b', 'five'), sample('disk.c', '7'), sample('disk.d', true)]),
    ).toEqual([
      ['a', ['disk.c', 'disk.d']],
      ['b', ['disk.c', 'disk.d']],
    ]);
    expect(pipelines.dropped).toBe(before + 2);
  });

  it('fail for a volume that is a list, as upstream does', () => {
    expect(() => routes([sample('disk.a', [1])])).toThrow(ValueError);
  });
});

describe('delivery', () => {
  function clock() {
    let now = 0;
    return {
      now: () => now,
      monotonic: () => now,
      async sleep(milliseconds: number) {
        now += milliseconds;
      },
    };
  }
  const never = new AbortController().signal;
  const publication = (publisher: LoadedPublisher) => ({ publisher, samples: [sample('cpu')], events: [] });
  const failing = (failures: number, error: Error): LoadedPublisher & { calls: number } => {
    const loaded = {
      name: 'x',
      calls: 0,
      publisher: {
        async publishSamples() {
          loaded.calls += 1;
          if (loaded.calls <= failures) throw error;
        },
        async close() {},
      },
    };
    return loaded;
  };

  it('tries again until the publisher has it', async () => {
    const target = failing(5, new Error('away'));

    await deliver(publication(target), never, { clock: clock(), patience: 30_000 });

    expect(target.calls).toBe(6);
  });

  it('gives up after its patience, and then tries what follows only once until the publisher is back', async () => {
    const target = failing(100, new Error('away'));
    const limits = { clock: clock(), patience: 10_000 };

    await expect(deliver(publication(target), never, limits)).rejects.toThrow(/publisher x/);
    const first = target.calls;
    await limits.clock.sleep(10_000);
    await expect(deliver(publication(target), never, limits)).rejects.toThrow(/publisher x/);

    expect(first).toBeGreaterThan(3);
    expect(target.calls).toBe(first + 1);
  });

  it('does not repeat what the other side refuses', async () => {
    const target = failing(100, new DeliveryError('status 400', { retryable: false }));

    await expect(deliver(publication(target), never, { clock: clock(), patience: 10_000 })).rejects.toThrow(
      /publisher x/,
    );

    expect(target.calls).toBe(1);
  });
});

it('blots passwords out of URLs, whatever state they are in', () => {
  expect(redactPublisherUrl('http://me:pass@host/')).toBe('http://me:***@host/');
  expect(redactPublisherUrl('notifier://me:p@ss@host:1/v')).toBe('notifier://me:***@host:1/v');
  expect(redactPublisherUrl('file:///x')).toBe('file:///x');
});
