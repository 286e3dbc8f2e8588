import { describe, expect, it } from 'vitest';
import { unwrapMessage } from '../../src/messaging/envelope.ts';
import { createDrafts, createSampleMessages, type SampleMessagesOptions } from '../../src/messaging/sample-messages.ts';
import type { Metadata, Sample } from '../../src/sample.ts';
import { parseExactJson } from '../../src/wire/json-parser.ts';
import { isObject, type JsonObject } from '../../src/wire/value.ts';
import { goldenMessages, object, objects, sampleOf, string } from '../helpers/golden-wire.ts';

function exactMessage(body: string): JsonObject {
  const outer = parseExactJson(body);
  const inner = isObject(outer) ? parseExactJson(string(outer, 'oslo.message')) : null;
  if (!isObject(inner)) throw new Error('no message');
  return inner;
}

const usual: SampleMessagesOptions = {
  secret: 'k',
  format: 'messagingv2',
  routingKeys: ['notifications.sample'],
  maxMessageBytes: 1_000_000,
  refused: (_, reason) => {
    throw reason;
  },
};

function encoder(options: Partial<SampleMessagesOptions>) {
  return createSampleMessages({ ...usual, ...options });
}

function sample(id: string, metadata: Metadata = { name: 'é'.repeat(100) }): Sample {
  return {
    id,
    name: 'cpu',
    type: 'cumulative',
    unit: 'ns',
    volume: 1n,
    resourceId: 'r',
    projectId: null,
    projectName: null,
    userId: null,
    userName: null,
    timestamp: '2026-11-22T14:31:46.556001',
    monotonicTime: 1.5,
    metadata,
    source: 'openstack',
  };
}

function idsOf(body: Buffer): readonly string[] {
  const payload = object(unwrapMessage(body.toString('utf8')), 'payload');
  return objects(payload, 'samples').map((message) => string(message, 'message_id'));
}

describe('messages of the real agent', () => {
  it.each([
    ['wire/master-default.raw-messages.jsonl.gz', 'change this for valid signing'],
    ['wire/master-topsecret.raw-messages.jsonl.gz', 'topsecret'],
  ])('are made again byte for byte: %s', (file, secret) => {
    const golden = goldenMessages(file);

    const made = golden.flatMap(({ body }) => {
      const message = exactMessage(body);
      const uuids = [string(message, 'message_id'), string(message, '_unique_id')];
      const toMessages = encoder({ secret, uuid: () => uuids.shift() ?? '' });
      return toMessages(objects(object(message, 'payload'), 'samples').map(sampleOf));
    });

    const withTime = made.map(({ routingKey, body }, index) => {
      // Python prints no fraction of a whole second.
      const time = /\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d{6})?/;
      const sent = time.exec(golden[index]?.body ?? '')?.[0] ?? '';
      return { routingKey, body: body.toString('utf8').replace(time, sent) };
    });
    expect(golden.length).toBeGreaterThan(1);
    expect(withTime).toEqual(golden.map(({ routingKey, body }) => ({ routingKey, body })));
  });
});

describe('createSampleMessages', () => {
  it('stamps the time of sending as Python prints it', () => {
    const at = (now: number) => encoder({ now: () => now })([sample('a')])[0]?.body.toString('utf8');

    expect(at(Date.UTC(2026, 10, 22, 14, 31, 46, 773))).toContain('\\"timestamp\\": \\"2026-11-22 14:31:46.773000\\"');
    expect(at(Date.UTC(2026, 10, 22, 14, 31, 46))).toContain('\\"timestamp\\": \\"2026-11-22 14:31:46\\"');
  });

  it('splits what would be larger than the limit and keeps the order', () => {
    const samples = Array.from({ length: 20 }, (_, index) => sample(`id-${index}`));

    const messages = encoder({ maxMessageBytes: 5000 })(samples);

    expect(messages.length).toBeGreaterThan(2);
    expect(messages.every(({ body }) => body.length <= 5000)).toBe(true);
    expect(messages.map(({ samples: count }) => count).reduce((sum, count) => sum + count)).toBe(20);
    expect(messages.flatMap(({ body }) => idsOf(body))).toEqual(samples.map(({ id }) => id));
  });

  it('fills a message up to the last byte of the limit', () => {
    const samples = [sample('a'), sample('b')];
    const whole = encoder({})(samples)[0]?.body.length ?? 0;

    expect(encoder({ maxMessageBytes: whole })(samples)).toHaveLength(1);
    expect(encoder({ maxMessageBytes: whole - 1 })(samples)).toHaveLength(2);
  });

  it('sends a sample that is larger than the limit alone', () => {
    const messages = encoder({ maxMessageBytes: 3000 })([
      sample('a'),
      sample('b', { big: 'x'.repeat(90_000) }),
      sample('c'),
    ]);

    expect(messages.map(({ body }) => idsOf(body))).toEqual([['a'], ['b'], ['c']]);
  });

  it('makes one copy for each routing key, the same but for its unique id', () => {
    const [first, second, ...more] = encoder({ routingKeys: ['notifications.sample', 'other.sample'] })([sample('a')]);

    const one = unwrapMessage(first?.body.toString('utf8') ?? '');
    const two = unwrapMessage(second?.body.toString('utf8') ?? '');
    expect([first?.routingKey, second?.routingKey, more.length]).toEqual(['notifications.sample', 'other.sample', 0]);
    expect(one['_unique_id']).toMatch(/^[0-9a-f]{32}$/);
    expect(one['_unique_id']).not.toBe(two['_unique_id']);
    expect({ ...one, _unique_id: '' }).toEqual({ ...two, _unique_id: '' });
  });

  it('leaves out a sample whose metadata is none, and only that one', () => {
    const refused: string[] = [];
    const wrong: Metadata = JSON.parse('{}');
    Object.assign(wrong, { f: () => 1 });

    const messages = encoder({ refused: ({ id }, reason) => refused.push(`${id}: ${reason}`) })([
      sample('a'),
      sample('b', wrong),
      sample('c'),
    ]);

    expect(messages.map(({ body }) => idsOf(body))).toEqual([['a', 'c']]);
    expect(refused).toEqual(['b: TypeError: function is not a value that JSON can carry']);
  });

  it('makes no message of nothing', () => {
    expect(encoder({})([])).toEqual([]);
  });
});

describe('createDrafts', () => {
  it('keeps apart what is in the making at the same time, and begins anew with what it has used', () => {
    const begin = createDrafts(usual);
    const idsIn = (draft: ReturnType<typeof begin>) => draft.finish().map(({ body }) => idsOf(body));

    for (const round of ['1', '2']) {
      const [one, other, empty] = [begin(), begin(), begin()];
      for (const name of ['a', 'b', 'c']) {
        one.add(sample(`${name}${round}`));
        other.add(sample(`other-${name}${round}`));
      }

      expect(idsIn(one)).toEqual([[`a${round}`, `b${round}`, `c${round}`]]);
      expect(idsIn(other)).toEqual([[`other-a${round}`, `other-b${round}`, `other-c${round}`]]);
      expect(idsIn(empty)).toEqual([]);
    }
  });

  it('does not change what it has finished', () => {
    const begin = createDrafts(usual);
    const first = begin();
    first.add(sample('a'));
    const [message] = first.finish();

    const second = begin();
    second.add(sample('b'));
    second.finish();

    expect(idsOf(message?.body ?? Buffer.alloc(0))).toEqual(['a']);
  });

  it('leaves a message in the memory that it was made in, unless that is much larger', () => {
    const begin = createDrafts(usual);
    const bodyOf = (...names: readonly string[]) => {
      const draft = begin();
      for (const name of names) draft.add(sample(name, { name: 'x'.repeat(20_000) }));
      const [message, ...more] = draft.finish();
      expect(more).toEqual([]);
      return message?.body ?? Buffer.alloc(0);
    };

    const large = bodyOf('a', 'b', 'c', 'd', 'e');
    const same = bodyOf('f', 'g', 'h', 'i', 'j');
    const small = bodyOf('k');

    expect([idsOf(large).length, idsOf(same).length, idsOf(small)]).toEqual([5, 5, ['k']]);
    for (const { length, buffer } of [large, same, small]) {
      expect(buffer.byteLength).toBeLessThanOrEqual((length + 16_384) * (4 / 3));
    }
  });

  it('uses the memory of messages again once they are done with', () => {
    const begin = createDrafts({ ...usual, routingKeys: ['one.sample', 'two.sample'] });
    const memories = new Set<ArrayBufferLike>();

    for (const name of ['a', 'b', 'c', 'd']) {
      const draft = begin();
      draft.add(sample(name));
      for (const { body, done } of draft.finish()) {
        expect(idsOf(body)).toEqual([name]);
        memories.add(body.buffer);
        done?.();
      }
      begin().finish();
    }

    expect(memories.size).toBe(2);
  });
});
