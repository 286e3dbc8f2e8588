/** Agents of one fleet as processes, and which slots of the work that they share were polled. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { slotAt, slotGrid } from '../../src/agent/slots.ts';
import { sampleId } from '../../src/sample.ts';
import { AgentProcess } from './agent-process.ts';

const PLUGIN = fileURLToPath(new URL('../fixtures/plugins/fleet.mjs', import.meta.url));
const THINGS = Array.from({ length: 300 }, (_, index) => `thing-${index}`);
const STATICS = Array.from({ length: 20 }, (_, index) => `static-${index}`);

/** What agents share: source, meter and resource. */
const WORK: readonly (readonly [source: string, meter: string, resource: string])[] = [
  ...THINGS.flatMap((thing) => [['fleet', 'fleet.first', thing] as const, ['fleet', 'fleet.second', thing] as const]),
  ...STATICS.map((one) => ['statics', 'fleet.static', one] as const),
];

export interface Coverage {
  /** Ids that came more than once. */
  readonly repeated: number;
  /** Ids that belong to no measurement of these slots. */
  readonly foreign: number;
  /** The measurements that nobody made, by slot, but for those that agents were too late for. */
  readonly missed: ReadonlyMap<number, number>;
  /** How many they were too late for. */
  readonly tooLate: number;
  readonly slots: number;
}

interface Line {
  readonly message_id: string;
  readonly counter_name: string;
  readonly resource_id: string;
  readonly timestamp: string;
}

export class Fleet {
  readonly #folder: string;
  readonly #backendUrl: string;
  readonly #interval: number;
  /** All that ever ran. */
  readonly processes: AgentProcess[] = [];

  /** `interval` is in seconds. */
  constructor(folder: string, backendUrl: string, interval: number) {
    this.#folder = folder;
    this.#backendUrl = backendUrl;
    this.#interval = interval;
    writeFileSync(
      join(folder, 'polling.yaml'),
      `sources:
  - {name: fleet, interval: ${interval}, meters: ["fleet.first", "fleet.second", "fleet.local"]}
  - {name: statics, interval: ${interval}, meters: ["fleet.static"], resources: [${STATICS.join(', ')}]}
`,
    );
  }

  start(host: string): AgentProcess {
    const file = join(this.#folder, `${host}.conf`);
    writeFileSync(
      file,
      `[DEFAULT]\nhost = ${host}\nplugins = ${PLUGIN}\n[polling]\ncfg_file = ${this.#folder}/polling.yaml\n` +
        `[coordination]\nbackend_url = ${this.#backendUrl}\n`,
    );
    const args = ['--config-file', file, '--polling-namespaces', 'fleet', '--output', 'jsonl'];
    const agent = new AgentProcess('polling', args);
    this.processes.push(agent);
    return agent;
  }

  /** Slots of the grid that all of them poll on. */
  slotAt(time: number): number {
    return slotAt(slotGrid('fleet', this.#interval * 1000), time);
  }

  samples(agents: readonly AgentProcess[] = this.processes): readonly Line[] {
    // A line that a killed agent left half counts as nothing.
    return agents.flatMap(({ stdout }) => [...stdout.matchAll(/^\{.*\}$/gm)].map(([line]) => JSON.parse(line) as Line));
  }

  /** Of the shared work, from one slot to another, both included. */
  coverage(from: number, to: number): Coverage {
    const came = new Map<string, number>();
    for (const { message_id: id, counter_name: meter, timestamp } of this.samples()) {
      const slot = this.slotAt(Date.parse(`${timestamp}Z`));
      if (meter !== 'fleet.local' && slot >= from && slot <= to) came.set(id, (came.get(id) ?? 0) + 1);
    }
    const ids = new Set(came.keys());
    const late = this.tooLate();
    const missed = new Map<number, number>();
    for (let slot = from; slot <= to; slot += 1) {
      const absent = WORK.filter(([source, meter, resource]) => !ids.delete(sampleId(source, meter, resource, slot)));
      if (absent.length > 0 && !late.has(slot)) missed.set(slot, absent.length);
    }
    const repeated = [...came.values()].reduce((sum, times) => sum + times - 1, 0);
    const tooLate = [...late].filter((slot) => slot >= from && slot <= to).length;
    return { repeated, foreign: ids.size, missed, tooLate, slots: to - from + 1 };
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
    const telling = /^.*(?:WARN|ERROR|share work changed|other agents left|stopping).*$/gm;
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
