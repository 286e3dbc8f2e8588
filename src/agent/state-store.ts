/** Keeps what pollsters remember: in memory over a reload, and in a file for each name over a restart. */
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { AgentError, codeOf, describeError } from '../errors.ts';
import type { KeptState, Logger } from '../plugin.ts';
import { sweepTemporaries, writeAtomically } from '../util/atomic-file.ts';
import { jsonPieces, withLists } from '../util/json-pieces.ts';

/** Where the files of an agent are. Agents of one host that poll different namespaces have different names. */
export interface StatePlace {
  /** An absolute path; undefined keeps everything in memory. */
  readonly folder: string | undefined;
  /** The first part of all file names. */
  readonly agent: string;
}

export interface StateStoreOptions {
  readonly log: Logger;
  /** Least milliseconds between two writes of one file. */
  readonly writeInterval?: number;
  /** Most bytes of one file. */
  readonly maxBytes?: number;
}

interface Entry {
  readonly name: string;
  /** What was read from the disk, once for each place. */
  loaded: Promise<unknown> | undefined;
  snapshot: (() => unknown) | undefined;
  /** There is something that is not in the file yet. */
  dirty: boolean;
  writing: Promise<void> | undefined;
  timer: NodeJS.Timeout | undefined;
  writtenAt: number;
  /** Why the last write failed. */
  failure: string | undefined;
}

/** The layout of the files: another one is not read. */
const FORMAT = 1;
const WRITE_INTERVAL = 10_000;
const MAX_BYTES = 16 * 1024 * 1024;

/** Belongs to the process: the generations of the configuration share it. */
export class StateStore {
  readonly #options: Required<StateStoreOptions>;
  readonly #entries = new Map<string, Entry>();
  #place: StatePlace = { folder: undefined, agent: '' };
  #closed = false;

  constructor(options: StateStoreOptions) {
    this.#options = { writeInterval: WRITE_INTERVAL, maxBytes: MAX_BYTES, ...options };
  }

  /** Says where the files are from now on. What is in memory goes there with the next write. */
  moveTo(place: StatePlace): void {
    if (place.folder === this.#place.folder && place.agent === this.#place.agent) return;
    this.#place = place;
    for (const entry of this.#entries.values()) {
      entry.loaded = undefined;
      entry.failure = undefined;
      if (entry.snapshot !== undefined) this.#changed(entry);
    }
  }

  state(name: string): KeptState {
    if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/.test(name)) {
      throw new TypeError(`state ${JSON.stringify(name)}: expected a name of letters, digits, ".", "_" and "-"`);
    }
    return {
      load: async () => {
        const entry = this.#entry(name);
        // What the pollster of the generation before knows is newer than any file.
        if (entry.snapshot !== undefined) return this.#handedOver(entry, entry.snapshot);
        entry.loaded ??= this.#read(name);
        return entry.loaded;
      },
      save: (snapshot) => {
        const entry = this.#entry(name);
        entry.snapshot = snapshot;
        entry.loaded = undefined;
        this.#changed(entry);
      },
    };
  }

  /** Writes what is not written yet. What is saved afterwards is not. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await Promise.all(
      [...this.#entries.values()].map(async (entry) => {
        clearTimeout(entry.timer);
        await entry.writing;
        if (entry.dirty) await this.#write(entry);
      }),
    );
  }

  #entry(name: string): Entry {
    let entry = this.#entries.get(name);
    if (entry === undefined) {
      entry = {
        name,
        loaded: undefined,
        snapshot: undefined,
        dirty: false,
        writing: undefined,
        timer: undefined,
        writtenAt: Number.NEGATIVE_INFINITY,
        failure: undefined,
      };
      this.#entries.set(name, entry);
    }
    return entry;
  }

  #handedOver({ name }: Entry, snapshot: () => unknown): unknown {
    try {
      return withLists(snapshot());
    } catch (error) {
      this.#options.log.warn(
        { state: name, reason: describeError(error) },
        'state cannot be handed over, starting afresh',
      );
      return undefined;
    }
  }

  #changed(entry: Entry): void {
    if (this.#place.folder === undefined || this.#closed) return;
    entry.dirty = true;
    if (entry.timer !== undefined || entry.writing !== undefined) return;
    const wait = Math.max(0, entry.writtenAt + this.#options.writeInterval - performance.now());
    entry.timer = setTimeout(() => {
      entry.timer = undefined;
      entry.writing = this.#write(entry).finally(() => {
        entry.writing = undefined;
        if (entry.dirty) this.#changed(entry);
      });
    }, wait);
    entry.timer.unref();
  }

  async #write(entry: Entry): Promise<void> {
    const { log, maxBytes } = this.#options;
    const path = this.#path(entry.name);
    if (path === undefined || entry.snapshot === undefined) return;
    entry.dirty = false;
    try {
      const file = { format: FORMAT, name: entry.name, state: entry.snapshot() };
      await writeAtomically(path, limited(jsonPieces(file), maxBytes));
      if (entry.failure !== undefined) log.info({ file: path }, 'state is written again');
      entry.failure = undefined;
    } catch (error) {
      const reason = describeError(error);
      if (entry.failure !== reason)
        log.warn({ file: path, reason }, 'state cannot be written, a restart would lose it');
      entry.failure = reason;
    } finally {
      entry.writtenAt = performance.now();
    }
  }

  async #read(name: string): Promise<unknown> {
    const path = this.#path(name);
    if (path === undefined) return undefined;
    await sweepTemporaries(path);
    try {
      const { size } = await stat(path);
      const { log: _, maxBytes } = this.#options;
      if (size > maxBytes) throw new AgentError('ERR_STATE', `${size} bytes are more than ${maxBytes}`);
      return stateIn(JSON.parse(await readFile(path, 'utf8')), name);
    } catch (error) {
      if (codeOf(error) !== 'ENOENT') {
        const reason = describeError(error);
        this.#options.log.warn({ file: path, reason }, 'state of an earlier run is unusable, starting afresh');
      }
      return undefined;
    }
  }

  #path(name: string): string | undefined {
    const { folder, agent } = this.#place;
    return folder === undefined ? undefined : join(folder, `${agent}.${name}.json`);
  }
}

function* limited(pieces: Iterable<string>, maxBytes: number): Generator<string> {
  let bytes = 0;
  for (const piece of pieces) {
    bytes += Buffer.byteLength(piece);
    if (bytes > maxBytes) throw new AgentError('ERR_STATE', `it would have more than ${maxBytes} bytes`);
    yield piece;
  }
}

function stateIn(file: unknown, name: string): unknown {
  if (typeof file !== 'object' || file === null || !('format' in file) || !('name' in file) || !('state' in file)) {
    throw new AgentError('ERR_STATE', 'the file is not one of this agent');
  }
  if (file.format !== FORMAT) {
    throw new AgentError('ERR_STATE', `its format is ${JSON.stringify(file.format)}, expected ${FORMAT}`);
  }
  if (file.name !== name) throw new AgentError('ERR_STATE', `it belongs to ${JSON.stringify(file.name)}`);
  return file.state;
}
