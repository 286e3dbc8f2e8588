/** Agents of one fleet as processes, and which slots of the work that they share were polled. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { slotAt, slotGrid } from '../../src/agent/slots.ts';
import { sampleId } from '../../src/sample.ts';
import { AgentProcess } from './agent-process.ts';
import { until } from './until.ts';

const PLUGIN = fileURLToPath(new URL('../fixtures/plugins/fleet.mjs', import.meta.url));
const THINGS = Array.from({ length: 300 }, (_, index) => `thing-${index}`);
const STATICS = Array.from({ length: 20 }, (_, index) => `static-${index}`);

/** What agents share: source, meter and resource. */
const WORK: readonly (readonly [source: string, meter: string, resource: string])[] = [
  ...THINGS.flatMap((thing) => [['fleet', 'fleet.first', thing] as const, ['fleet', 'fleet.second', thing] as const]),
  ...STATICS.map((one) => ['statics', 'fleet.static', one] as const),
];

export const SHARED_SAMPLES = WORK.length;

export interface Coverage {
  /** Ids that came more than once. */
  readonly repeated: number;
  /** Samples that belong to no measurement of the slot that they were made in, or of one shortly before. */
  readonly foreign: number;
  /** The measurements that nobody made, by slot, but for those that agents were too late for. */
  readonly missed: ReadonlyMap<number, number>;
  /** How many they were too late for. */
  readonly tooLate: number;
  readonly slots: number;
}

export interface FleetSample {
  readonly message_id: string;
  readonly counter_name: string;
  readonly resource_id: string;
  readonly timestamp: string;
}

export interface FleetOptions {
  readonly folder: string;
  readonly backendUrl: string;
  /** Seconds. */
  readonly interval: number;
  /** Where samples go over a broker: its URL, and what has come from there. Left out, agents print them. */
  readonly broker?: { readonly url: string; readonly received: () => readonly FleetSample[] };
}

interface Member {
  readonly host: string;
  readonly agent: AgentProcess;
  /** What it has printed, and how much of its output that is. */
  readonly printed: FleetSample[];
  read: number;
}

export class Fleet {
  readonly #options: FleetOptions;
  readonly #members: Member[] = [];

  constructor(options: FleetOptions) {
    this.#options = options;
    const { folder, interval } = options;
    writeFileSync(
      join(folder, 'polling.yaml'),
      `sources:
  - {name: fleet, interval: ${interval}, meters: ["fleet.first", "fleet.second", "fleet.local"]}
  - {name: statics, interval: ${interval}, meters: ["fleet.static"], resources: [${STATICS.join(', ')}]}
`,
    );
  }

  /** All that ever ran. */
  get processes(): readonly AgentProcess[] {
    return this.#members.map(({ agent }) => agent);
  }

  start(host: string): AgentProcess {
    const { backendUrl, broker, folder } = this.#options;
    const file = join(folder, `${host}.conf`);
    writeFileSync(
      file,
      `[DEFAULT]\nhost = ${host}\nplugins = ${PLUGIN}\n${broker === undefined ? '' : `transport_url = ${broker.url}\n`}` +
        `[polling]\ncfg_file = ${folder}/polling.yaml\n[coordination]\nbackend_url = ${backendUrl}\n`,
    );
    const args = ['--config-file', file, '--polling-namespaces', 'fleet'];
    const agent = new AgentProcess('polling', [...args, '--output', broker === undefined ? 'jsonl' : 'amqp']);
    this.#members.push({ host, agent, printed: [], read: 0 });
    return agent;
  }

  /** Resolves when all that run have last said that there are so many. */
  async knowEachOther(): Promise<void> {
    const told = ({ stderr }: AgentProcess) => [...stderr.matchAll(/\bagents[=:" ]+(\d+)/g)].at(-1)?.[1];
    await until('all know of each other', () => {
      const running = this.#running();
      return running.every(({ agent }) => told(agent) === String(running.length));
    });
  }

  #running(): readonly Member[] {
    return this.#members.filter(({ agent: { child } }) => child.exitCode === null && child.signalCode === null);
  }

  /** Slots of the grid that all of them poll on. */
  slotAt(time: number): number {
    return slotAt(slotGrid('fleet', this.#options.interval * 1000), time);
  }

  /** Of these agents alone, where agents print their samples. */
  samples(agents: readonly AgentProcess[] = this.processes): readonly FleetSample[] {
    const { broker } = this.#options;
    if (broker !== undefined) return broker.received();
    return this.#members.filter(({ agent }) => agents.includes(agent)).flatMap(printedBy);
  }

  /**
   * Resolves with the slot that has begun `count` slots from now, when every agent that runs has polled a later one.
   */
  async slotsPass(count: number): Promise<number> {
    const slot = this.slotAt(Date.now()) + count;
    await until('slots pass', () => this.slotAt(Date.now()) > slot);
    await until('all agents have come to a later slot', () => this.#allAreAfter(slot));
    return slot;
  }

  /** By what each polls itself; an agent hands over one slot after the other. */
  #allAreAfter(slot: number): boolean {
    const came = new Set(this.samples().map(({ message_id: id }) => id));
    const now = this.slotAt(Date.now());
    const later = Array.from({ length: now - slot }, (_, index) => slot + 1 + index);
    return this.#running().every(({ host }) =>
      later.some((one) => came.has(sampleId('fleet', 'fleet.local', host, one))),
    );
  }

  /** Of the shared work, from one slot to another, both included. */
  coverage(from: number, to: number): Coverage {
    const shared = this.samples().filter(({ counter_name: meter }) => meter !== 'fleet.local');
    const came = new Map<string, number>();
    for (const { message_id: id } of shared) came.set(id, (came.get(id) ?? 0) + 1);
    const late = this.tooLate();
    const missed = new Map<number, number>();
    let repeated = 0;
    for (let slot = from; slot <= to; slot += 1) {
      const times = WORK.map(([source, meter, resource]) => came.get(sampleId(source, meter, resource, slot)) ?? 0);
      const absent = times.filter((count) => count === 0).length;
      if (absent > 0 && !late.has(slot)) missed.set(slot, absent);
      repeated += times.reduce((sum, count) => sum + Math.max(0, count - 1), 0);
    }
    const foreign = shared.filter((sample) => !this.#isOfItsTime(sample)).length;
    const tooLate = [...late].filter((slot) => slot >= from && slot <= to).length;
    return { repeated, foreign, missed, tooLate, slots: to - from + 1 };
  }

  /** A cycle may begin late in its slot, and go on for longer than one where the machine is busy. */
  #isOfItsTime({ counter_name: meter, message_id: id, resource_id: resource, timestamp }: FleetSample): boolean {
    const slot = this.slotAt(Date.parse(`${timestamp}Z`));
    const source = meter === 'fleet.static' ? 'statics' : 'fleet';
    return [0, 1, 2, 3, 4].some((late) => sampleId(source, meter, resource, slot - late) === id);
  }

  /** Slots that agents say they were too late for: no matter of sharing, but of the machine that they are on. */
  tooLate(): ReadonlySet<number> {
    const slots = new Set<number>();
    const telling = /^(\S+ \S+) \d+ WARNING .*slots were missed: .*missed=(\d+)/gm;
    for (const { stderr } of this.processes) {
      for (const [, time = '', missed] of stderr.matchAll(telling)) {
        const last = this.slotAt(Date.parse(time));
        for (let slot = last - Number(missed); slot < last; slot += 1) slots.add(slot);
      }
    }
    return slots;
  }

  /** What went wrong or changed, in order of time, with the number of the process. */
  troubles(): readonly string[] {
    const telling = /^.*(?:WARN|ERROR|share work changed|other agents left|last known share|stopping).*$/gm;
    const lines = this.processes.flatMap(({ stderr }, at) =>
      [...stderr.matchAll(telling)].map(([line]) => `${line} (${at})`),
    );
    return lines.sort();
  }

  async end(): Promise<void> {
    for (const agent of this.processes) if (agent.child.exitCode === null) agent.kill('SIGKILL');
    await Promise.all(this.processes.map(({ ended }) => ended));
  }
}

/** A line that a killed agent left half counts as nothing. */
function printedBy(member: Member): readonly FleetSample[] {
  const { printed } = member;
  const { stdout } = member.agent;
  const end = stdout.lastIndexOf('\n') + 1;
  for (const line of stdout.slice(member.read, end).split('\n')) {
    if (line !== '') printed.push(JSON.parse(line) as FleetSample);
  }
  member.read = Math.max(member.read, end);
  return printed;
}
