import { describe, expect, it } from 'vitest';
import { createFrameReader, type Frame } from '../../src/messaging/frame-reader.ts';
import { delivery, HEARTBEAT, loadAmqplibParts } from '../helpers/amqplib-parts.ts';

const METHOD = 1;
const HEADER = 2;
const BODY = 3;

const { makeBodyFrame } = loadAmqplibParts();

function reading(maxSize = 131_072) {
  const frames: Frame[] = [];
  const taken: Buffer[] = [];
  const read = createFrameReader({
    accept: (frame) => frames.push(frame),
    takeBody(length) {
      const body = Buffer.alloc(length);
      taken.push(body);
      return body;
    },
    maxSize: () => maxSize,
  });
  return { read, frames, taken, types: () => frames.map(({ type }) => type) };
}

const message = (channel: number, body: Buffer, frameBytes = 131_064) =>
  delivery({ channel, deliveryTag: 1, body, frameBytes });

describe('createFrameReader', () => {
  it('reads a body into the memory that was taken for it, however many frames it has', () => {
    const { read, frames, taken } = reading();
    const body = Buffer.from('0123456789');

    for (const frame of message(1, body, 3)) read(frame);

    expect(frames.map(({ type, channel, size }) => [type, channel, size])).toEqual([
      [METHOD, 1, expect.any(Number)],
      [HEADER, 1, expect.any(Number)],
      [BODY, 1, 10],
    ]);
    expect(taken).toEqual([body]);
    expect(frames.at(-1)?.payload.buffer).toBe(taken[0]?.buffer);
  });

  it('keeps nothing of the bytes that it read', () => {
    const { read, frames } = reading();
    const bytes = Buffer.concat([...message(1, Buffer.from('abc')), HEARTBEAT]);
    const expected = reading();
    expected.read(Buffer.from(bytes));

    read(bytes);
    bytes.fill(0xff);

    expect(frames).toEqual(expected.frames);
  });

  it('puts bodies of several channels together that come at the same time', () => {
    const { read, frames } = reading();
    const [first, second] = [message(1, Buffer.from('aaaaaa'), 2), message(2, Buffer.from('bbbb'), 2)];
    const mixed = first.flatMap((frame, index) => [frame, HEARTBEAT, ...second.slice(index, index + 1)]);

    read(Buffer.concat(mixed));

    const bodies = frames.filter(({ type }) => type === BODY);
    expect(bodies.map(({ channel, payload }) => `${channel} ${payload}`)).toEqual(['2 bbbb', '1 aaaaaa']);
    expect(frames.filter(({ channel }) => channel === 0)).toHaveLength(first.length);
  });

  it('lets go of a body that another message on its channel cuts short', () => {
    const { read, types, frames } = reading();

    read(Buffer.concat([...message(1, Buffer.from('abcd'), 2).slice(0, 3), ...message(1, Buffer.from('xy'))]));

    expect(types()).toEqual([METHOD, HEADER, METHOD, HEADER, BODY]);
    expect(String(frames.at(-1)?.payload)).toBe('xy');
  });

  it('hands over what comes beyond the size that was announced', () => {
    const { read, frames } = reading();

    read(Buffer.concat([...message(1, Buffer.from('abcd'), 2).slice(0, 3), makeBodyFrame(1, Buffer.from('efghi'))]));

    const bodies = frames.filter(({ type }) => type === BODY);
    expect(bodies.map(({ payload }) => String(payload))).toEqual(['ab', 'efghi']);
  });

  it('takes no memory on the word of a header that announces more than messages have', () => {
    const { read, taken, frames } = reading();
    const [, header] = message(1, Buffer.alloc(1));
    header?.writeBigUInt64BE(2n ** 60n, 11);

    read(Buffer.concat([header ?? HEARTBEAT, makeBodyFrame(1, Buffer.from('ab')), makeBodyFrame(1, Buffer.from('c'))]));

    expect(taken).toEqual([]);
    expect(frames.slice(1).map(({ payload }) => String(payload))).toEqual(['ab', 'c']);
  });

  it('refuses a frame that is larger than agreed before it takes memory for it', () => {
    const { read, frames } = reading(4096);
    const head = Buffer.from([BODY, 0, 1, 0xff, 0xff, 0xff, 0xff]);

    expect(() => read(head)).toThrow('a frame of 4294967295 bytes is larger than the 4096 that are allowed');
    expect(frames).toEqual([]);
  });

  it('refuses a frame that does not end where it says', () => {
    const { read } = reading();
    const broken = Buffer.from(HEARTBEAT);
    broken[7] = 0;

    expect(() => read(broken)).toThrow('a frame of type 8 has no end');
  });
});
