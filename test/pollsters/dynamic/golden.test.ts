/** What upstream's agent made of the same definitions and the same answers. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Sample } from '../../../src/sample.ts';
import { cloudOf, load } from './run.ts';

interface Exchange {
  readonly url: string;
  readonly status: number;
  readonly resp_body: string;
}

interface GoldenSample {
  readonly counter_volume: unknown;
  readonly counter_name: string;
  readonly resource_id: string;
}

const TYPES = ['image', 'network', 'key-manager', 'compute', 'identity'];

async function golden(name: string) {
  const read = (file: string) =>
    readFileSync(new URL(`../../fixtures/dynamic/${name}/${file}`, import.meta.url), 'utf8');
  const exchanges = read('http.jsonl')
    .split('\n')
    .filter(Boolean)
    .map((line): Exchange => JSON.parse(line));
  const answers: Record<string, unknown> = {};
  const cloud = await cloudOf(
    Object.fromEntries(
      exchanges.map(({ url }) => [
        url.replace(/^http:..[^/]+/, ''),
        (asked: { path: string }, response: { end(text: unknown): void }) => response.end(answers[asked.path]),
      ]),
    ),
    TYPES,
  );
  const here = (text: string) => text.replaceAll(/http:\/\/127\.0\.0\.1:\d+/g, cloud.url);
  for (const { url, resp_body } of exchanges) answers[url.replace(/^http:..[^/]+/, '')] = here(resp_body);
  const expected: readonly GoldenSample[] = JSON.parse(read('expected.json'));
  const loaded = await load(here(read('pollsters.yaml')), cloud);
  const polled = await loaded.poll();
  return { cloud, exchanges, expected, loaded, ...polled };
}

/** A text that is a number is one here; other values are left out. */
function asNumbers(samples: readonly GoldenSample[]): readonly GoldenSample[] {
  return samples
    .map((sample) => ({
      ...sample,
      counter_volume: sample.counter_volume === null ? Number.NaN : Number(sample.counter_volume),
    }))
    .filter(({ counter_volume: volume }) => !Number.isNaN(volume));
}

function onWire(sample: Sample): GoldenSample {
  return {
    source: sample.source,
    counter_name: sample.name,
    counter_type: sample.type,
    counter_unit: sample.unit,
    counter_volume: Number(sample.volume),
    user_id: sample.userId,
    user_name: sample.userName,
    project_id: sample.projectId,
    project_name: sample.projectName,
    resource_id: sample.resourceId,
    resource_metadata: sample.metadata,
    monotonic_time: sample.monotonicTime,
  } as GoldenSample;
}

function sorted(samples: readonly GoldenSample[]): readonly GoldenSample[] {
  const key = (sample: GoldenSample) => `${sample.counter_name} ${sample.resource_id}`;
  return samples.toSorted((a, b) => (key(a) < key(b) ? -1 : 1));
}

describe('the samples of upstream', () => {
  it.each([
    ['01-image-linked', 20],
    ['03-vpn-doc-example', 1],
    ['05-barbican-credentials', 1],
    ['07-text', 1],
    ['11-linked-multi', 6],
    ['14b-nova-fixed-paging', 5],
  ])('come out field by field: %s', async (name, fewest) => {
    const { expected, samples, failures } = await golden(name);

    expect(failures).toEqual({});
    expect(sorted(samples.map(onWire))).toEqual(sorted(asNumbers(expected)));
    expect(samples.length).toBeGreaterThanOrEqual(fewest);
  });

  it('come of the same requests, answers of nested definitions from the cache', async () => {
    const { cloud, exchanges } = await golden('14b-nova-fixed-paging');

    const asked = cloud.asked.map(({ path }) => path);
    expect(asked.toSorted()).toEqual(
      exchanges
        .map(({ url }) => new URL(url))
        .map((url) => url.pathname + url.search)
        .toSorted(),
    );
  });

  it('are authenticated as upstream does outside of OpenStack', async () => {
    const { cloud } = await golden('05-barbican-credentials');

    expect(cloud.asked.at(-1)?.headers['authorization']).toBe('Basic cHJvYmV1c2VyOnByb2JlcGFzcw==');
  });
});

describe('definitions that upstream finds wrong', () => {
  it('cost only themselves, each with file, line and reason', async () => {
    const { loaded, samples, failures } = await golden('13-bad-definitions');

    expect(loaded.names).toEqual(['dynamic.ok', 'dynamic.unknown.key', 'dynamic.op.raises']);
    const errors = loaded.told.filter((line) => line.startsWith('error'));
    expect(errors.map((line) => line.replace('error dynamic pollster is wrong and left out ', ''))).toEqual([
      'pollsters.yaml:14: dynamic.no.unit: unit is missing',
      'pollsters.yaml:20: sample_type: expected gauge, delta or cumulative',
      'pollsters.yaml:25: name: expected words of letters, digits, _ and - between dots, and no more than one {attribute} at the end',
      'pollsters.yaml:34: dynamic.multi.{x}: value_attribute: expected [list].attribute, as the name ends in {x}, got "status"',
      'pollsters.yaml:43: response_handlers[0]: expected json, xml or text',
      'pollsters.yaml:61: dynamic.op.without.value: value_attribute: expression "status | 1+1": the operation 1+1 does not use value',
    ]);
    expect(loaded.told).toContain(
      'warn definition has an option that is not known pollsters.yaml:54: dynamic.unknown.key: unknown option frobnicate',
    );
    expect(samples).toEqual([]);
    expect(Object.keys(failures)).toEqual(['dynamic.op.raises']);
  });

  it('include operations that do not use the value', async () => {
    const { loaded } = await golden('07b-op-without-value');

    expect(loaded.names).toEqual([]);
  });
});

describe('a host command in the central namespace', () => {
  it('is run, where upstream knows no discovery for it', async () => {
    const { samples } = await golden('09-host-command-in-central');

    expect(samples).toEqual([
      expect.objectContaining({
        name: 'dynamic.host.command',
        volume: 1n,
        resourceId: 'id1',
        userId: 'id1_u',
        projectId: 'id1_p',
        metadata: { meta: 'meta-data-to-store' },
      }),
    ]);
  });
});
