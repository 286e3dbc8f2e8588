import { Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { createJsonlOutput } from '../../src/output/jsonl.ts';
import { patient, SlowStream, sample } from './samples.ts';

function lines(text: string): Record<string, unknown>[] {
  return text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
}

/** A reader that takes a moment for each line. */
class Sluggish extends Writable {
  text = '';

  override _write(chunk: string, _encoding: BufferEncoding, done: () => void): void {
    this.text += chunk;
    setTimeout(done, 2);
  }
}

describe('samples as lines of JSON', () => {
  it('have the fifteen fields of the wire, each sample on a line of its own', async () => {
    const stream = new SlowStream();
    const output = createJsonlOutput({ stream, secret: '' });
    const metadata = { display_name: 'two\nlines "quoted" ü' };

    await output.publish([sample({ metadata }), sample({ resourceId: 'cn2', volume: 0.5 })], patient);
    await output.flush(patient);

    const [first, second] = lines(stream.text);
    expect(stream.text.endsWith('}\n')).toBe(true);
    expect(first).toEqual({
      source: 'openstack',
      counter_name: 'hardware.memory.total',
      counter_type: 'gauge',
      counter_unit: 'KB',
      counter_volume: 2048,
      user_id: null,
      user_name: null,
      project_id: null,
      project_name: null,
      resource_id: 'cn1',
      timestamp: '2026-11-20T12:00:00',
      resource_metadata: metadata,
      message_id: '0b0b1f6e-52ac-5b6f-9a43-3a0d6d4b7a01',
      monotonic_time: 12.5,
      message_signature: '',
    });
    expect(second).toMatchObject({ resource_id: 'cn2', counter_volume: 0.5 });
  });

  it('keep counters above 2^53 exact', async () => {
    const stream = new SlowStream();
    const output = createJsonlOutput({ stream, secret: '' });

    await output.publish([sample({ volume: 18446744073709551615n })], patient);

    expect(stream.text).toMatch(/"counter_volume": 18446744073709551615,/);
  });

  it('are signed where there is a secret', async () => {
    const stream = new SlowStream();
    const output = createJsonlOutput({ stream, secret: 'secret' });

    await output.publish([sample()], patient);

    expect(lines(stream.text)[0]).toMatchObject({ message_signature: expect.stringMatching(/^[0-9a-f]{64}$/) });
  });
});

describe('a reader that does not keep up', () => {
  function stalled() {
    const stream = new SlowStream({ highWaterMark: 10 });
    stream.stall();
    return { stream, output: createJsonlOutput({ stream, secret: '' }) };
  }

  it('holds up the next batch until there is room', async () => {
    const { stream, output } = stalled();
    const order: string[] = [];

    await output.publish([sample()], patient);
    const second = output.publish([sample()], patient).then(() => order.push('second taken'));
    await Promise.resolve();
    order.push('resumed');
    stream.resume();
    await second;

    expect(order).toEqual(['resumed', 'second taken']);
    expect(lines(stream.text)).toHaveLength(2);
  });

  it('refuses nobody who waits, although the first to be let in fills the room again', async () => {
    const stream = new Sluggish({ highWaterMark: 1, decodeStrings: false });
    const output = createJsonlOutput({ stream, secret: '' });

    await Promise.all(Array.from({ length: 6 }, () => output.publish([sample()], patient)));
    await output.flush(patient);

    expect(lines(stream.text)).toHaveLength(6);
  });

  it('does not hold it up beyond the deadline: the batch is refused', async () => {
    const { output } = stalled();
    const deadline = AbortSignal.abort(new Error('deadline'));

    await output.publish([sample()], patient);
    const refused = output.publish([sample(), sample()], deadline);

    await expect(refused).rejects.toMatchObject({ code: 'ERR_DELIVERY', retryable: true });
    await expect(refused).rejects.toThrow('the output was not read in time, 2 samples are not in it');
  });

  it('leaves samples undelivered when it has not read them by the end', async () => {
    const { stream, output } = stalled();

    await output.publish([sample(), sample(), sample()], patient);
    const undelivered = await output.flush(AbortSignal.abort());
    stream.resume();

    expect(undelivered).toBe(3);
    expect(await output.flush(patient)).toBe(0);
  });
});

describe('a reader that goes away', () => {
  it('ends the writing quietly', async () => {
    const stream = new SlowStream();
    let gone = 0;
    const output = createJsonlOutput({ stream, secret: '', onGone: () => (gone += 1) });
    stream.stall();

    await output.publish([sample()], patient);
    await stream.fail('EPIPE');
    await output.publish([sample()], patient);

    expect(gone).toBe(1);
    expect(await output.flush(patient)).toBe(0);
  });

  it('late, after the output was closed, does not end the process', async () => {
    const stream = new SlowStream();
    const output = createJsonlOutput({ stream, secret: '' });
    stream.stall();

    await output.publish([sample()], patient);
    await output.close();
    await stream.fail('EPIPE');

    expect(stream.errored).toMatchObject({ code: 'EPIPE' });
  });
});
