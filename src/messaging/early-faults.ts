/**
 * What a broker says in one breath with its consent. amqplib hands a connection out after it has read everything that
 * came with `connection.open-ok`; a `connection.close` among that finds no listener and is thrown out of an event of
 * the socket, where nobody can catch it. So each connection gets listeners before the handshake begins. Its class is
 * not among amqplib's exports, hence the way by file.
 */
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

/** The fault that had ended a connection before it was handed out; undefined for one that lives. */
export type FaultOf = (connection: object) => Error | undefined;

interface Emitter {
  on(event: string, listener: (error?: Error) => void): void;
}

interface ConnectionClass {
  readonly prototype: { open(this: Emitter, ...args: unknown[]): void };
}

let installed: Promise<FaultOf> | undefined;

/** Sees to it that early faults are kept, once for the process. */
export function earlyFaults(): Promise<FaultOf> {
  installed ??= install();
  return installed;
}

async function install(): Promise<FaultOf> {
  const main = pathToFileURL(createRequire(import.meta.url).resolve('amqplib'));
  const { Connection }: { Connection: ConnectionClass } = await import(new URL('lib/connection.js', main).href);
  const faults = new WeakMap<object, Error>();
  const { open } = Connection.prototype;
  Connection.prototype.open = function (...args) {
    const note = (error = new Error('the broker closed the connection')) => {
      if (!faults.has(this)) faults.set(this, error);
    };
    this.on('error', note);
    this.on('close', note);
    open.apply(this, args);
  };
  return (connection) => faults.get(connection);
}
