import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { collectorPlan } from '../../src/collector/listen.ts';
import { watchUntaken } from '../../src/collector/untaken.ts';
import { loadConfig } from '../../src/config/load.ts';
import { NotificationListener, type QueueDepth } from '../../src/messaging/listener.ts';
import { eventually } from '../helpers/eventually.ts';
import { FakeClock } from '../helpers/fake-clock.ts';
import { type Rabbitmq, startRabbitmq } from '../helpers/rabbitmq.ts';
import { recordingLog } from '../helpers/recording-log.ts';
import { describeWith } from '../helpers/services.ts';

const QUEUE = 'notifications.sample';
const MINUTE = 60_000;

describe('the watch over queues that were copied', () => {
  /** Looks at these depths, one each minute; what is an error is thrown. Returns the warnings. */
  async function looks(depths: readonly (QueueDepth | Error | undefined)[]) {
    const [log, clock, stop] = [recordingLog(), new FakeClock(0), new AbortController()];
    let look = 0;
    const done = watchUntaken(
      [QUEUE],
      async () => {
        const depth = depths[look++];
        if (depth instanceof Error) throw depth;
        return depth;
      },
      { log, clock, stop: stop.signal },
    );
    await clock.pass(MINUTE * depths.length);
    stop.abort();
    await done;
    return log.lines.filter(({ level }) => level === 'warn');
  }

  const depth = (messages: number, consumers = 0) => ({ messages, consumers });

  it('warns once when a queue without consumers grows', async () => {
    const warnings = await looks([depth(0), depth(40), depth(80), depth(120)]);

    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toMatchObject({ fields: { queue: QUEUE, messages: 40 } });
    expect(warnings[0]?.message).toContain('polled_samples = take');
  });

  it.each([
    ['somebody takes from it', [depth(0, 1), depth(40, 1), depth(900, 1)]],
    ['it does not grow', [depth(40), depth(40), depth(10)]],
    ['its consumer was away for one look', [depth(0, 1), depth(40), depth(80, 1), depth(90)]],
    ['it is not known', [undefined, new Error('NOT_FOUND'), undefined, depth(10)]],
  ])('is silent when %s', async (_, depths) => {
    expect(await looks(depths)).toEqual([]);
  });
});

describeWith('rabbitmq', 'the depth of a queue', () => {
  let broker: Rabbitmq;
  beforeAll(async () => {
    broker = await startRabbitmq();
  });
  afterAll(() => broker?.[Symbol.asyncDispose]());

  it('is asked of the broker beside the messages, and a queue that is not there does no harm', async () => {
    const vhost = broker.vhost();
    const connection = await broker.connect(vhost);
    onTestFinished(() => connection.close());
    const channel = await connection.createConfirmChannel();
    await channel.assertQueue(QUEUE, { durable: false });
    channel.sendToQueue(QUEUE, Buffer.from('{}'));
    await channel.waitForConfirms();
    const transportUrl = `rabbit://guest:guest@127.0.0.1:${broker.port}/${vhost}`;
    const { config } = loadConfig({ files: [], dirs: [], env: {}, overrides: { default: { transportUrl } } });
    const { options } = collectorPlan(config, 'test');
    const listener = new NotificationListener(options, async () => ({ kind: 'done' }), recordingLog());
    onTestFinished(() => listener.close());
    await listener.ready;

    expect(await listener.depth(QUEUE)).toEqual({ messages: 1, consumers: 0 });
    await expect(listener.depth('nothing')).rejects.toThrow(/no queue 'nothing'/);
    expect(await listener.depth(QUEUE)).toEqual({ messages: 1, consumers: 0 });
    await eventually(async () => listener.stats.received).toBe(0);
  });
});
