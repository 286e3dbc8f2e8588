/** The frame around every message of libvirt's protocol: a length, a header of six words, a payload in XDR. */
import { LibvirtError } from './errors.ts';
import { XdrError, XdrReader, XdrWriter } from './xdr.ts';

export const REMOTE_PROGRAM = 0x20008086;
export const KEEPALIVE_PROGRAM = 0x6b656570;
export const PROTOCOL_VERSION = 1;
export const KEEPALIVE_PING = 1;
export const KEEPALIVE_PONG = 2;

export const MESSAGE_TYPE = { CALL: 0, REPLY: 1, EVENT: 2, STREAM: 3 } as const;
export const STATUS = { OK: 0, ERROR: 1 } as const;

const HEADER_SIZE = 28;
/** The largest message that libvirt sends or takes, without its length word. */
const MESSAGE_MAX = 32 * 1024 * 1024;
export const STRING_MAX = 4 * 1024 * 1024;
export const DOMAIN_LIST_MAX = 16_384;
const UUID_SIZE = 16;

export interface Header {
  readonly program: number;
  readonly version: number;
  readonly procedure: number;
  readonly type: number;
  readonly serial: number;
  readonly status: number;
}

export interface Message extends Header {
  readonly payload: Buffer;
}

/** One message as bytes. */
export function encodeMessage(header: Header, writePayload?: (writer: XdrWriter) => void): Buffer {
  const writer = new XdrWriter(HEADER_SIZE);
  writePayload?.(writer);
  const bytes = writer.finish();
  if (bytes.length - 4 > MESSAGE_MAX) throw new RangeError(`message of ${bytes.length} bytes is too large for libvirt`);
  bytes.writeUInt32BE(bytes.length, 0);
  bytes.writeUInt32BE(header.program, 4);
  bytes.writeUInt32BE(header.version, 8);
  bytes.writeInt32BE(header.procedure, 12);
  bytes.writeInt32BE(header.type, 16);
  bytes.writeUInt32BE(header.serial, 20);
  bytes.writeInt32BE(header.status, 24);
  return bytes;
}

function decodeMessage(bytes: Buffer): Message {
  return {
    program: bytes.readUInt32BE(4),
    version: bytes.readUInt32BE(8),
    procedure: bytes.readInt32BE(12),
    type: bytes.readInt32BE(16),
    serial: bytes.readUInt32BE(20),
    status: bytes.readInt32BE(24),
    payload: bytes.subarray(HEADER_SIZE),
  };
}

/**
 * Cuts a stream of bytes into messages. Chunks are kept as they came until a message is whole, so the cost is
 * linear however the bytes were cut; a length that cannot be is refused before anything is stored for it.
 */
export class MessageSplitter {
  #chunks: Buffer[] = [];
  #stored = 0;
  /** Length of the message at the front, 0 while its length word is not there yet. */
  #needed = 0;

  /** True in the middle of a message. */
  get partial(): boolean {
    return this.#stored > 0;
  }

  /** The messages that this chunk completes. Throws {@link XdrError} for a length that no message has. */
  *push(chunk: Buffer): Generator<Message> {
    this.#chunks.push(chunk);
    this.#stored += chunk.length;
    for (;;) {
      if (this.#needed === 0) {
        if (this.#stored < 4) return;
        const length = this.#peekLength();
        if (length < HEADER_SIZE || length - 4 > MESSAGE_MAX)
          throw new XdrError(`message of ${length} bytes announced`);
        this.#needed = length;
      }
      if (this.#stored < this.#needed) return;
      yield decodeMessage(this.#cut(this.#needed));
    }
  }

  #peekLength(): number {
    return this.#joined().readUInt32BE(0);
  }

  #cut(length: number): Buffer {
    const joined = this.#joined();
    const rest = joined.subarray(length);
    this.#chunks = rest.length > 0 ? [rest] : [];
    this.#stored = rest.length;
    this.#needed = 0;
    return joined.subarray(0, length);
  }

  #joined(): Buffer {
    const [first, second] = this.#chunks;
    if (first !== undefined && second === undefined) return first;
    const joined = Buffer.concat(this.#chunks, this.#stored);
    this.#chunks = [joined];
    return joined;
  }
}

/** Domain as messages name it. */
export interface DomainRef {
  readonly name: string;
  readonly uuid: string;
  readonly id: number;
}

function readUuid(reader: XdrReader): string {
  const hex = reader.fixedOpaque(UUID_SIZE).toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

export function readDomainRef(reader: XdrReader): DomainRef {
  return { name: reader.string(STRING_MAX), uuid: readUuid(reader), id: reader.int() };
}

export function writeDomainRef(writer: XdrWriter, domain: DomainRef): void {
  writer.string(domain.name);
  writer.fixedOpaque(Buffer.from(domain.uuid.replaceAll('-', ''), 'hex'));
  writer.int(domain.id);
}

/** The smallest number of bytes that a domain takes in a message: an empty name, the UUID, the id. */
export const DOMAIN_REF_SIZE = 4 + UUID_SIZE + 4;

/** The payload of a reply with status ERROR. */
export function decodeError(payload: Buffer): LibvirtError {
  const reader = new XdrReader(payload);
  const string = () => reader.string(STRING_MAX);
  const number = reader.int();
  const domain = reader.int();
  const message = reader.optional(string);
  const level = reader.int();
  return new LibvirtError(oneLine(message ?? `error ${number}`), number, domain, level);
}

function oneLine(text: string): string {
  return text.replace(/\s*\n\s*/g, ' ').trim();
}
