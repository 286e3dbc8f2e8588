/** What channels of amqplib hear when their connection is read in place, beside what they hear by amqplib's own reading. */
import { Duplex } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import type { ConsumeMessage } from 'amqplib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readInPlace } from '../../src/messaging/read-in-place.ts';
import {
  channelClose,
  connectionClose,
  delivery,
  HEARTBEAT,
  handshake,
  loadAmqplibParts,
  type StockConnection,
} from '../helpers/amqplib-parts.ts';

const { Connection, Channel, decodeFrame } = loadAmqplibParts();
const CHANNELS = 3;
const RUNS = 300;

interface Heard {
  readonly events: readonly string[];
  readonly answers: string;
}

/** Opens a connection with some channels, and gives it the bytes. `feed` hands a piece to what reads. */
async function listen(
  bytes: readonly Buffer[],
  use: (connection: StockConnection, socket: Duplex) => (piece: Buffer) => void,
): Promise<Heard> {
  const events: string[] = [];
  const answers: Buffer[] = [];
  const socket = new Duplex({
    read() {},
    write(chunk: Buffer, _encoding, done) {
      answers.push(Buffer.from(chunk));
      done();
    },
  });
  const connection = new Connection(socket);
  const feed = use(connection, socket);
  connection.on('error', (error) => events.push(`error ${withoutFrame(error)}`));
  connection.on('close', (error) => events.push(`close ${withoutFrame(error)}`));
  connection.open(openFields, (error) => {
    events.push(`open ${error}`);
    if (error === null) for (let number = 1; number <= CHANNELS; number++) openChannel(connection, events);
  });
  for (const piece of bytes) {
    feed(piece);
    // Some for amqplib to read it, and to answer.
    for (let turns = 0; turns < 3; turns++) await turn();
  }
  connection.removeAllListeners();
  return { events, answers: Buffer.concat(answers).toString('hex') };
}

const openFields = {
  clientProperties: {},
  mechanism: 'PLAIN',
  response: Buffer.from('\0guest\0guest'),
  locale: 'en_US',
  channelMax: 0,
  frameMax: 131_072,
  heartbeat: 0,
  virtualHost: '/',
  capabilities: '',
  insist: 0,
};

/** What is wrong with a frame is said in other words. */
function withoutFrame(error: Error | undefined): string {
  return /frame/i.test(String(error)) ? 'a frame' : String(error);
}

function openChannel(connection: StockConnection, events: string[]): void {
  const channel = new Channel(connection);
  channel.allocate();
  const number = channel.ch;
  channel.on('delivery', ({ fields, properties, content }: ConsumeMessage) => {
    events.push(`${number} ${fields.deliveryTag} ${JSON.stringify(properties)} ${content.toString('hex')}`);
  });
  channel.on('error', (error) => events.push(`${number} error ${withoutFrame(error)}`));
  channel.on('close', () => events.push(`${number} close`));
}

const stock = (_connection: StockConnection, socket: Duplex) => (piece: Buffer) => void socket.push(piece);

function inPlace(connection: StockConnection) {
  const { onread, serve } = readInPlace(decodeFrame, Buffer.allocUnsafeSlow);
  serve(connection);
  // As the socket does: into the same bytes, over and over.
  const into = onread.buffer instanceof Uint8Array ? Buffer.from(onread.buffer.buffer) : Buffer.alloc(0);
  return (piece: Buffer) => {
    for (let at = 0; at < piece.length; at += into.length) {
      const length = piece.copy(into, 0, at);
      onread.callback(length, into);
      into.fill(0xaa);
    }
  };
}

/** Cut at places that are given as parts of the whole. */
function cut(bytes: Buffer, places: readonly number[]): readonly Buffer[] {
  const ends = [...places.map((place) => Math.floor(place * bytes.length)), bytes.length].sort((a, b) => a - b);
  return ends.map((end, index) => bytes.subarray(ends[index - 1] ?? 0, end));
}

const part = fc.double({ min: 0, max: 1, noNaN: true });
const parts = fc.array(part, { maxLength: 40 });
const message = fc
  .record({
    channel: fc.integer({ min: 1, max: CHANNELS }),
    deliveryTag: fc.integer({ min: 1, max: 99 }),
    body: fc.oneof(
      fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
      fc.integer({ min: 1, max: 200_000 }).map((length) => Buffer.alloc(length, `${length} `)),
    ),
    frames: fc.integer({ min: 1, max: 5 }),
  })
  .map((sent) => ({
    channel: sent.channel,
    frames: delivery({ ...sent, frameBytes: Math.max(1, Math.ceil(sent.body.length / sent.frames)) }),
  }));
const single = fc.oneof(
  { weight: 8, arbitrary: fc.constant({ channel: 0, frames: [HEARTBEAT] }) },
  { weight: 1, arbitrary: fc.constant({ channel: 0, frames: [connectionClose('bye')] }) },
  {
    weight: 1,
    arbitrary: fc
      .integer({ min: 1, max: CHANNELS + 1 })
      .map((channel) => ({ channel, frames: [channelClose(channel, 'gone')] })),
  },
);

/** What a broker says: in order on each channel, and mixed among them as `picks` say. */
const conversation = fc
  .tuple(fc.array(fc.oneof({ weight: 4, arbitrary: message }, single), { maxLength: 12 }), fc.infiniteStream(part))
  .map(([said, picks]) => {
    const queues = Array.from({ length: CHANNELS + 2 }, (_, number) =>
      said.filter(({ channel }) => channel === number).flatMap(({ frames }) => frames),
    );
    const frames: Buffer[] = [];
    for (let left = busy(queues); left.length > 0; left = busy(left)) {
      const { value } = picks.next();
      const frame = left[Math.min(Math.floor((value ?? 0) * left.length), left.length - 1)]?.shift();
      if (frame !== undefined) frames.push(frame);
    }
    return frames;
  });

function busy(queues: readonly Buffer[][]): readonly Buffer[][] {
  return queues.filter((queue) => queue.length > 0);
}

async function compare(said: readonly Buffer[], places: readonly number[]): Promise<Heard> {
  const start = Buffer.concat(handshake);
  const pieces = [...cut(start, places), ...cut(Buffer.concat(said), places)];

  const heard = await listen(pieces, inPlace);

  expect(heard).toEqual(await listen(pieces, stock));
  return heard;
}

describe('readInPlace', () => {
  it('opens a connection whose broker speaks byte by byte', async () => {
    const said = delivery({ channel: 2, deliveryTag: 7, body: Buffer.from('hello'), frameBytes: 2 });
    const bytes = [...handshake, ...said].flatMap((frame) => [...frame].map((byte) => Buffer.from([byte])));

    const { events } = await listen(bytes, inPlace);

    expect(events).toEqual(['open null', expect.stringMatching(/^2 7 .* 68656c6c6f$/)]);
  });

  it('has channels hear the same, wherever the bytes are cut', async () => {
    let messages = 0;

    await fc.assert(
      fc.asyncProperty(conversation, parts, async (said, places) => {
        const { events } = await compare(said, places);
        messages += events.filter((event) => /^\d \d+ \{/.test(event)).length;
      }),
      { numRuns: RUNS },
    );

    expect(messages).toBeGreaterThan(RUNS);
  });

  it('has them hear the same of a broker that leaves frames out, or says some twice', async () => {
    let faults = 0;

    await fc.assert(
      fc.asyncProperty(conversation, parts, part, fc.boolean(), async (said, places, where, twice) => {
        const at = Math.floor(where * Math.max(said.length - 1, 0));
        const { events } = await compare(said.toSpliced(at, 1, ...said.slice(at, at + (twice ? 2 : 0))), places);
        faults += events.filter((event) => event.includes('error')).length;
      }),
      { numRuns: RUNS },
    );

    expect(faults).toBeGreaterThan(RUNS / 10);
  });

  it('hears no more than amqplib of bytes that are no frames', async () => {
    await fc.assert(
      fc.asyncProperty(
        conversation,
        parts,
        part,
        fc.integer({ min: 1, max: 255 }),
        async (said, places, where, flip) => {
          const bytes = Buffer.concat(said);
          const at = Math.floor(where * Math.max(bytes.length - 1, 0));
          if (bytes.length > 0) bytes[at] = (bytes[at] ?? 0) ^ flip;

          await compare([bytes], places);
        },
      ),
      { numRuns: RUNS },
    );
  });

  it('fails the handshake with a broker that speaks something else', async () => {
    const greeting = [Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n')];

    expect((await listen(greeting, inPlace)).events).toEqual([
      expect.stringMatching(/^open Error: a frame of .* bytes/),
    ]);
  });
});
