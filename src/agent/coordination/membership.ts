import { describeError } from '../../errors.ts';
import type { Logger } from '../../plugin.ts';
import type { Clock } from '../../util/clock.ts';
import { settledWithin } from '../../util/patience.ts';
import { scope, untilAborted } from '../../util/scope.ts';
import { singleFlight } from '../../util/single-flight.ts';
import type { CoordinationBackend } from './backend.ts';
import { createHashRing, type HashRing } from './hash-ring.ts';
import type { Share } from './share.ts';

export interface MembershipParts {
  readonly backend: CoordinationBackend;
  /** The name of this agent in all groups; no other agent ever has it. */
  readonly member: string;
  readonly clock: Clock;
  readonly log: Logger;
}

/** The part of one configuration in the groups: a reload makes a new one before it releases the old one. */
export interface Participation {
  /**
   * Asks the backend anew, unless it is known to be away; after so many milliseconds without an answer it is the last
   * known share. Never rejects.
   */
  share(patience: number): Promise<Share>;
  /** Whether the agent has given its work to the others. */
  hasLeft(): boolean;
  /** Tells when the others are fewer, which may mean that this agent has more. */
  onDeparture(listener: () => void): void;
  /** Leaves the groups that nobody else uses. Called once; never rejects. */
  release(): Promise<void>;
}

interface User {
  readonly groups: readonly string[];
  /** Before it asks for its share it would not do its part: the others must not see it. */
  begun: boolean;
  departed: () => void;
}

/** Beats in a lease; more of them once one was not answered, so that the lease does not end for want of two. */
const BEATS = { answered: 3, unanswered: 10 };
/** Milliseconds that the backend has for an answer, as far as the lease allows. */
const PATIENCE = { least: 1_000, most: 10_000 };
/** Milliseconds that the end of an agent is held up: it polls on meanwhile, so that nothing is missed. */
const LEAVE_PATIENCE = { answering: 10_000, away: 2_000 };

/**
 * This agent in the groups that it shares work in. It beats on a timer of its own, however busy the cycles are. While
 * the backend does not answer the last known members count, and before it has answered nobody but this agent is there.
 */
export class Membership {
  readonly #parts: MembershipParts;
  readonly #users = new Set<User>();
  readonly #end = new AbortController();
  readonly #sync: () => Promise<void>;
  #rings: ReadonlyMap<string, HashRing> = new Map();
  /** Whether the last beat was answered; undefined before the first has ended. */
  #answered: boolean | undefined;
  #beating: Promise<void> | undefined;
  /** Settles with the last beat; never rejects. */
  #underWay: Promise<void> = Promise.resolve();
  #left = false;

  constructor(parts: MembershipParts) {
    this.#parts = parts;
    this.#sync = singleFlight(() => {
      this.#underWay = this.#syncOnce();
      return this.#underWay;
    });
  }

  /** The groups are joined when the share in them is asked for. */
  use(groups: readonly string[]): Participation {
    const user: User = { groups, begun: false, departed: () => {} };
    this.#users.add(user);
    return {
      share: (patience) => {
        user.begun = true;
        this.#beating ??= this.#beat();
        return this.#share(patience);
      },
      hasLeft: () => this.#left,
      onDeparture(listener) {
        user.departed = listener;
      },
      release: async () => {
        this.#users.delete(user);
        const still = [...this.#users].flatMap((other) => other.groups);
        const unused = groups.filter((group) => this.#rings.has(group) && !still.includes(group));
        if (!this.#left) await this.#leave(unused);
      },
    };
  }

  /** Gives all work to the others: called before the last cycles end. Never rejects, and takes a limited time. */
  async leave(): Promise<void> {
    if (this.#left) return;
    this.#left = true;
    await this.#leave(this.#groups());
  }

  async close(): Promise<void> {
    this.#end.abort(new Error('the agent ends'));
    await this.#beating;
    await this.#parts.backend.close();
  }

  #groups(): readonly string[] {
    // After a reload it stays in those that it was in, though the new configuration's first cycle is yet to come.
    const joined = (user: User) => user.groups.filter((group) => user.begun || this.#rings.has(group));
    return [...new Set([...this.#users].flatMap(joined))];
  }

  async #share(patience: number): Promise<Share> {
    const { backend, clock, log, member } = this.#parts;
    // A backend that is known to be away is not waited for.
    if (!this.#left && this.#answered !== false) {
      const inTime = await settledWithin(this.#syncAnew(), patience, this.#end.signal, clock).catch(() => true);
      if (!inTime) log.info({ backend: backend.shown }, 'coordination backend is slow, polling the last known share');
    }
    const rings = this.#rings;
    return { owns: (group, item) => group === null || (rings.get(group)?.ownerOf(item) ?? member) === member };
  }

  async #beat(): Promise<void> {
    const { backend, clock } = this.#parts;
    const { signal } = this.#end;
    while (!signal.aborted) {
      if (!this.#left) await this.#sync();
      await clock.sleep(backend.lease / (this.#answered === false ? BEATS.unanswered : BEATS.answered), signal);
    }
  }

  /** What is under way may have asked before somebody left, or for other groups. */
  async #syncAnew(): Promise<void> {
    await this.#underWay;
    await this.#sync();
  }

  async #syncOnce(): Promise<void> {
    const groups = this.#groups();
    if (this.#left || this.#end.signal.aborted || groups.length === 0) return;
    const { backend } = this.#parts;
    // Before the first answer there is no lease to lose, and a slow start is no outage: an agent that knows of nobody
    // has the work of all, which would make a busy machine busier.
    const beat = Math.max(PATIENCE.least, backend.lease / BEATS.answered);
    const patience = this.#answered === undefined ? PATIENCE.most : Math.min(PATIENCE.most, beat);
    using limit = scope(this.#end.signal, patience, `the answer of ${backend.shown}`);
    try {
      this.#learn(await untilAborted(backend.sync(groups, limit.signal), limit.signal));
    } catch (err) {
      if (!this.#end.signal.aborted) this.#missAnswer(err);
    }
  }

  #learn(members: ReadonlyMap<string, readonly string[]>): void {
    const { backend, log, member } = this.#parts;
    const before = this.#rings;
    const made = new Map<string, HashRing>();
    this.#rings = new Map(
      Array.from(members, ([group, names]) => {
        // Groups mostly have the same members.
        const all = [...new Set([member, ...names])].sort();
        const key = all.join('\n');
        const old = before.get(group);
        const ring =
          old !== undefined && [...old.members].sort().join('\n') === key
            ? old
            : (made.get(key) ?? createHashRing(all));
        made.set(key, ring);
        return [group, ring];
      }),
    );
    if (this.#answered !== true) {
      const fields = { backend: backend.shown, groups: members.size, agents: agentsOf(this.#rings).size };
      log.info(fields, this.#answered === undefined ? 'work is shared' : 'coordination backend answers again');
      this.#answered = true;
    }
    const [was, is] = [agentsOf(before), agentsOf(this.#rings)];
    const joined = [...is].filter((name) => !was.has(name)).length;
    const left = [...was].filter((name) => !is.has(name)).length;
    if (before.size > 0 && joined + left > 0)
      log.info({ agents: is.size, joined, left }, 'the agents that share work changed');
    for (const user of this.#users) {
      if (user.groups.some((group) => isFewer(before.get(group), this.#rings.get(group)))) user.departed();
    }
  }

  #missAnswer(err: unknown): void {
    const { backend, log } = this.#parts;
    if (this.#answered === false) return;
    this.#answered = false;
    const goesOn = this.#rings.size === 0 ? 'polling everything' : 'keeping the last known share';
    log.warn({ backend: backend.shown, reason: describeError(err) }, `coordination backend does not answer, ${goesOn}`);
  }

  async #leave(groups: readonly string[]): Promise<void> {
    if (groups.length === 0) return;
    const { backend, log } = this.#parts;
    const patience = this.#answered === false ? LEAVE_PATIENCE.away : LEAVE_PATIENCE.answering;
    using limit = scope(this.#end.signal, patience, `leaving ${backend.shown}`);
    try {
      // A beat that is under way would join again.
      await untilAborted(this.#sync(), limit.signal);
      await untilAborted(backend.leave(groups, limit.signal), limit.signal);
    } catch (err) {
      log.warn({ reason: describeError(err) }, 'could not leave, the others notice it when the lease ends');
    }
  }
}

function agentsOf(rings: ReadonlyMap<string, HashRing>): ReadonlySet<string> {
  return new Set([...rings.values()].flatMap(({ members }) => [...members]));
}

function isFewer(before: HashRing | undefined, now: HashRing | undefined): boolean {
  if (before === undefined || now === undefined) return false;
  for (const name of before.members) if (!now.members.has(name)) return true;
  return false;
}
