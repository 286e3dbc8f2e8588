import type { Duplex } from 'node:stream';
import { ServiceError } from '../errors.ts';
import { ConnectionError } from './errors.ts';
import type { Procedure } from './procedures.ts';
import { close as closeProcedure } from './procedures.ts';
import type { Message } from './rpc.ts';
import {
  decodeError,
  encodeMessage,
  KEEPALIVE_PING,
  KEEPALIVE_PONG,
  KEEPALIVE_PROGRAM,
  MESSAGE_TYPE,
  MessageSplitter,
  PROTOCOL_VERSION,
  REMOTE_PROGRAM,
  STATUS,
} from './rpc.ts';
import { XdrError, XdrReader } from './xdr.ts';

export interface ClientOptions {
  /** The server's name in messages to people. */
  readonly server: string;
  /** Milliseconds without a sign of life before the server is asked for one. */
  readonly keepAliveInterval?: number;
  onEvent(message: Message): void;
  /** Called once, when the connection has ended for whatever reason. */
  onClose(error: ConnectionError): void;
}

export interface CallOptions {
  readonly timeout: number;
  readonly signal?: AbortSignal;
  /** Called once when a call that was given up ends after all: it was answered, or the connection is gone. */
  readonly onLate?: (answered: boolean) => void;
}

interface PendingCall {
  readonly procedure: number;
  /** Takes the reply; does not throw. */
  settle(reply: Message): void;
  fail(error: unknown): void;
}

const KEEP_ALIVE_INTERVAL = 5_000;
/** Questions without an answer after which the server counts as gone. */
const KEEP_ALIVE_COUNT = 3;
const CLOSE_TIMEOUT = 1_000;

/** No answer in time. The call may still be under way in libvirt, and the connection goes on. */
export class NoAnswerError extends ServiceError {}

/** One connection to libvirt's RPC server. Calls may overlap; each has its own deadline. */
export class LibvirtClient {
  readonly #stream: Duplex;
  readonly #options: ClientOptions;
  readonly #pending = new Map<number, PendingCall>();
  /** Calls that nobody waits for any more, but that libvirt still works on. */
  readonly #abandoned = new Map<number, (answered: boolean) => void>();
  readonly #splitter = new MessageSplitter();
  #serial = 0;
  #ended: ConnectionError | undefined;
  #closing: Promise<void> | undefined;
  #keepAlive: NodeJS.Timeout | undefined;
  #silentIntervals = 0;

  constructor(stream: Duplex, options: ClientOptions) {
    this.#stream = stream;
    this.#options = options;
    stream.on('data', (chunk: Buffer) => this.#receive(chunk));
    stream.on('error', (error) => this.#end('lost the connection to', error));
    stream.on('end', () =>
      this.#end(this.#splitter.partial ? 'connection closed within a message by' : 'connection closed by'),
    );
    stream.on('close', () => this.#end('connection closed by'));
    stream.resume();
  }

  get closed(): boolean {
    return this.#ended !== undefined || this.#closing !== undefined;
  }

  /** How many calls were given up that libvirt has not answered yet. Each holds one of its few request slots. */
  get abandoned(): number {
    return this.#abandoned.size;
  }

  /** How many calls libvirt has not answered yet, those that were given up included. */
  get unanswered(): number {
    return this.#pending.size + this.#abandoned.size;
  }

  call<A, R>(procedure: Procedure<A, R>, args: A, { timeout, signal, onLate }: CallOptions): Promise<R> {
    return new Promise<R>((resolve, reject) => {
      if (this.#ended !== undefined) return reject(this.#ended);
      if (signal?.aborted) return reject(signal.reason);
      const serial = this.#nextSerial();
      const message = encodeMessage({ ...call, procedure: procedure.number, serial }, (writer) =>
        procedure.write(writer, args),
      );
      const release = () => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', abort);
        this.#pending.delete(serial);
      };
      const abandon = (error: unknown) => {
        release();
        this.#abandoned.set(serial, onLate ?? nothing);
        reject(error);
      };
      const abort = () => abandon(signal?.reason);
      const giveUp = () => {
        if (!this.#pending.has(serial)) return;
        abandon(
          new NoAnswerError(`no answer to ${procedure.name} from ${this.#options.server} in ${timeout / 1000} s`),
        );
      };
      // A process that was busy finds both: that time is over, and an answer that waits to be read. The answer counts.
      const timer = setTimeout(() => setImmediate(giveUp), timeout);
      signal?.addEventListener('abort', abort, { once: true });
      this.#pending.set(serial, {
        procedure: procedure.number,
        settle: (reply) => {
          release();
          try {
            resolve(decodeReply(procedure, reply));
          } catch (error) {
            reject(this.#describe(procedure.name, error));
          }
        },
        fail: (error) => {
          release();
          reject(error);
        },
      });
      this.#stream.write(message);
    });
  }

  /** Asks for signs of life from now on. The server has to know the keep-alive program. */
  startKeepAlive(): void {
    if (this.closed) return;
    this.#keepAlive ??= setInterval(() => this.#ping(), this.#options.keepAliveInterval ?? KEEP_ALIVE_INTERVAL);
    this.#keepAlive.unref();
  }

  /** Says goodbye and ends the connection, at the latest after a second. */
  close(): Promise<void> {
    this.#closing ??= this.#goodbye();
    return this.#closing;
  }

  /** Ends the connection at once. Every call that is under way fails with the error. */
  destroy(error: ConnectionError): void {
    if (this.#ended !== undefined) return;
    this.#ended = error;
    clearInterval(this.#keepAlive);
    for (const pending of [...this.#pending.values()]) pending.fail(error);
    this.#stream.destroy();
    this.#options.onClose(error);
    const abandoned = [...this.#abandoned.values()];
    this.#abandoned.clear();
    for (const ended of abandoned) ended(false);
  }

  async #goodbye(): Promise<void> {
    if (this.#ended !== undefined) return;
    await this.call(closeProcedure, undefined, { timeout: CLOSE_TIMEOUT }).catch(() => undefined);
    this.destroy(new ConnectionError(`connection to ${this.#options.server} was closed`));
  }

  #end(what: string, cause?: unknown): void {
    const options = cause === undefined ? undefined : { cause };
    this.destroy(new ConnectionError(`${what} ${this.#options.server}`, options));
  }

  #nextSerial(): number {
    this.#serial = this.#serial === 0xffff_ffff ? 1 : this.#serial + 1;
    return this.#serial;
  }

  #receive(chunk: Buffer): void {
    this.#silentIntervals = 0;
    try {
      for (const message of this.#splitter.push(chunk)) {
        this.#dispatch(message);
        if (this.#ended !== undefined) return;
      }
    } catch (error) {
      this.#end('cannot understand', error);
    }
  }

  #dispatch(message: Message): void {
    if (message.version !== PROTOCOL_VERSION) throw new XdrError(`protocol version ${message.version}`);
    if (message.program === KEEPALIVE_PROGRAM) {
      if (message.procedure === KEEPALIVE_PING) this.#stream.write(pong);
      return;
    }
    if (message.program !== REMOTE_PROGRAM) throw new XdrError(`program 0x${message.program.toString(16)}`);
    switch (message.type) {
      case MESSAGE_TYPE.REPLY:
        this.#reply(message);
        return;
      case MESSAGE_TYPE.EVENT:
        this.#options.onEvent(message);
        return;
      default:
        throw new XdrError(`message of type ${message.type}`);
    }
  }

  #reply(message: Message): void {
    const late = this.#abandoned.get(message.serial);
    if (late !== undefined) {
      this.#abandoned.delete(message.serial);
      late(true);
      return;
    }
    const pending = this.#pending.get(message.serial);
    if (pending?.procedure !== message.procedure) {
      throw new XdrError(`reply to call ${message.serial} of procedure ${message.procedure}, which was not made`);
    }
    pending.settle(message);
  }

  #describe(what: string, error: unknown): unknown {
    if (!(error instanceof XdrError)) return error;
    return new ServiceError(`cannot understand the answer to ${what} from ${this.#options.server}`, { cause: error });
  }

  #ping(): void {
    if (this.#silentIntervals > KEEP_ALIVE_COUNT) this.#end('no sign of life from');
    else if (this.#silentIntervals > 0) this.#stream.write(ping);
    this.#silentIntervals++;
  }
}

const call = {
  program: REMOTE_PROGRAM,
  version: PROTOCOL_VERSION,
  type: MESSAGE_TYPE.CALL,
  status: STATUS.OK,
};

const keepAlive = {
  program: KEEPALIVE_PROGRAM,
  version: PROTOCOL_VERSION,
  type: MESSAGE_TYPE.EVENT,
  serial: 0,
  status: STATUS.OK,
};
const ping = encodeMessage({ ...keepAlive, procedure: KEEPALIVE_PING });
const pong = encodeMessage({ ...keepAlive, procedure: KEEPALIVE_PONG });

function nothing(): void {}

function decodeReply<A, R>(procedure: Procedure<A, R>, reply: Message): R {
  if (reply.status === STATUS.ERROR) throw decodeError(reply.payload);
  if (reply.status !== STATUS.OK) throw new XdrError(`reply with status ${reply.status}`);
  const reader = new XdrReader(reply.payload);
  const result = procedure.read(reader);
  reader.end();
  return result;
}
