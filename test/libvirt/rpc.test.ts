import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isNoDomain, isUnsupported, LibvirtError } from '../../src/libvirt/errors.ts';
import {
  decodeError,
  encodeMessage,
  type Header,
  type Message,
  MessageSplitter,
  readDomainRef,
  writeDomainRef,
} from '../../src/libvirt/rpc.ts';
import { XdrError, XdrReader, XdrWriter } from '../../src/libvirt/xdr.ts';
import { errorPayload, recorded } from './recorded.ts';

const header: Header = { program: 0x20008086, version: 1, procedure: 14, type: 1, serial: 7, status: 0 };

/** The bytes in chunks that end at the given places. */
function cut(bytes: Buffer, places: readonly number[]): readonly Buffer[] {
  const ends = [...new Set(places.map((place) => place % bytes.length)), bytes.length].sort((a, b) => a - b);
  return ends.map((end, index) => bytes.subarray(index === 0 ? 0 : ends[index - 1], end));
}

function split(chunks: readonly Buffer[]): readonly Message[] {
  const splitter = new MessageSplitter();
  return chunks.flatMap((chunk) => [...splitter.push(chunk)]);
}

describe('messages', () => {
  it('come out as they went in, however the bytes were cut', () => {
    const payloads = fc.array(fc.uint8Array({ maxLength: 300 }), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(payloads, fc.array(fc.nat()), (list, places) => {
        const bytes = Buffer.concat(
          list.map((payload, serial) => encodeMessage({ ...header, serial }, (writer) => writer.opaque(payload))),
        );

        const messages = split(cut(bytes, places));

        expect(messages.map((message) => message.serial)).toEqual(list.map((_, serial) => serial));
        expect(messages.map((message) => [...new XdrReader(message.payload).opaque(300)])).toEqual(
          list.map((payload) => [...payload]),
        );
      }),
    );
  });

  it('come out of single bytes too, with the header that they were sent with', () => {
    const bytes = encodeMessage(header, (writer) => writer.string('abc'));

    const [message, ...others] = split([...bytes].map((byte) => Buffer.from([byte])));

    expect(message).toEqual({ ...header, payload: new XdrWriter().string('abc').finish() });
    expect(others).toEqual([]);
  });

  it('throw nothing but an XdrError for arbitrary bytes', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 64 })), (chunks) => {
        try {
          split(chunks.map((chunk) => Buffer.from(chunk)));
        } catch (error) {
          expect(error).toBeInstanceOf(XdrError);
        }
      }),
    );
  });

  it.each([
    ['shorter than its header', 27],
    ['longer than libvirt allows', 64 * 1024 * 1024],
    ['as long as text that is no libvirt', Buffer.from('HTTP').readUInt32BE()],
  ])('that are %s are refused at their length', (_title, length) => {
    const announced = Buffer.alloc(4);
    announced.writeUInt32BE(length);

    expect(() => split([announced])).toThrow(`message of ${length} bytes announced`);
  });

  it('of 16 MiB in small chunks are put together in linear time', () => {
    const bytes = encodeMessage(header, (writer) => writer.opaque(Buffer.alloc(16 * 1024 * 1024)));
    const chunks = Array.from({ length: bytes.length / 4096 }, (_, index) =>
      bytes.subarray(index * 4096, (index + 1) * 4096),
    );
    const rest = bytes.subarray(chunks.length * 4096);

    // Joining everything at each chunk would copy 34 GB and not end within the test's time.
    const messages = split([...chunks, rest]);

    expect(messages[0]?.payload.length).toBe(16 * 1024 * 1024 + 4);
  });

  it('know when one is not whole yet', () => {
    const splitter = new MessageSplitter();
    const bytes = encodeMessage(header);

    const before = splitter.partial;
    const first = [...splitter.push(bytes.subarray(0, 10))];
    const between = splitter.partial;
    const second = [...splitter.push(bytes.subarray(10))];

    expect([before, between, splitter.partial]).toEqual([false, true, false]);
    expect([first.length, second.length]).toEqual([0, 1]);
  });
});

describe('errors of libvirt', () => {
  it('are read from the bytes that libvirtd sent', () => {
    const error = decodeError(recorded.errors.noDomain);

    expect(error).toBeInstanceOf(LibvirtError);
    expect(error).toMatchObject({
      code: 'ERR_SERVICE',
      number: 42,
      domain: 10,
      level: 2,
      message: "Domain not found: no domain with matching uuid '00000000-0000-4000-8000-000000000001' (gone)",
    });
    expect(isNoDomain(error)).toBe(true);
  });

  it('tell a call that the daemon does not know from other errors', () => {
    expect(isUnsupported(decodeError(recorded.errors.unknownProcedure))).toBe(true);
    expect(isUnsupported(decodeError(errorPayload(3, 'this function is not supported by the connection driver')))).toBe(
      true,
    );
    expect(isUnsupported(decodeError(recorded.errors.noDomain))).toBe(false);
    expect(isUnsupported(new Error('no'))).toBe(false);
  });

  it('stay on one line', () => {
    expect(decodeError(errorPayload(1, 'one\n  two\n')).message).toBe('one two');
  });

  it('without a text name their number', () => {
    const payload = new XdrWriter().int(99).int(10).bool(false).int(2).finish();

    expect(decodeError(payload).message).toBe('error 99');
  });
});

describe('a domain in a message', () => {
  it('comes back with its name, UUID and id', () => {
    const domain = { name: 'Zoë 🚀', uuid: '0a1b2c3d-4e5f-4789-abcd-ef0123456789', id: -1 };
    const writer = new XdrWriter();

    writeDomainRef(writer, domain);

    expect(readDomainRef(new XdrReader(writer.finish()))).toEqual(domain);
  });
});
