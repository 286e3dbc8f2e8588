/** How the collecting goes: figures, agents, and what is missing. */
import { quantity } from '../../../util/quantity.ts';
import { grouped, plural } from '../../../util/text.ts';
import type { Status } from '../../api/schema.ts';
import { byId, element, keyedList, setAttribute, setText } from './dom.ts';
import { viewHref } from './route.ts';
import { ago, clock, millisOf, span } from './time.ts';
import { text } from './volume.ts';

type Agent = Status['agents'][number];
type Late = Status['late'][number];
type Gap = Status['gaps'][number];

interface Tile {
  readonly name: string;
  readonly value: string;
  readonly note: string;
  readonly state: 'none' | 'warn' | 'bad';
}

export interface Overview {
  show(status: Status, now: number): void;
}

/** More agents than this are folded away: the charts shall be in sight. */
const FEW_AGENTS = 6;

export function createOverview(): Overview {
  const agentsBox = byId<HTMLDetailsElement>('agents-box');
  let first = true;
  const tiles = keyedList<Tile>(byId('tiles'), ({ name }) => name, createTile);
  const agents = keyedList<AgentLine>(byId('agents'), ({ agent }) => `${agent.agent} ${agent.source}`, createAgent);
  const late = troubleList<Late>(
    'late',
    lateHeadline,
    ({ overdue, last_sample }, now) => `overdue for ${span(overdue)}, last ${ago(millisOf(last_sample), now)}`,
  );
  const gaps = troubleList<Gap>('gaps', gapHeadline, ({ gaps: count, start, end }, now) => {
    const missing = `none between ${clock(millisOf(start), now)} and ${clock(millisOf(end), now)}`;
    return count > 1 ? `${missing}, and ${plural(count - 1, 'gap')} before` : missing;
  });

  return {
    show(status, now) {
      tiles.show(tilesOf(status, now));
      // Those that are late come first.
      const sorted = [...status.agents].sort((a, b) => Number(b.late) - Number(a.late));
      agents.show(sorted.map((agent) => ({ agent, now })));
      const lateAgents = status.agents.filter((agent) => agent.late).length;
      setText(
        byId('agents-summary'),
        `${plural(status.agents.length, 'agent')}, ${agentsNote(status.agents.length, lateAgents)}`,
      );
      setAttribute(agentsBox, 'data-state', lateAgents > 0 ? 'bad' : 'none');
      // After that it is as the person leaves it.
      if (first && status.agents.length > FEW_AGENTS) agentsBox.open = false;
      first = false;
      byId('no-agents').hidden = status.agents.length > 0;
      late(status.late, status.late_total, now);
      gaps(status.gaps, status.gaps_total, now);
    },
  };
}

function tilesOf(status: Status, now: number): readonly Tile[] {
  const { store, agents, received, late_total: lateTotal, gaps_total: gapsTotal } = status;
  const lateAgents = agents.filter((agent) => agent.late).length;
  const kept = store.time_to_live === null ? 'kept for ever' : `kept ${span(store.time_to_live)}`;
  const size = text(quantity(BigInt(store.bytes), 'B'));
  const most = store.max_bytes === null ? '' : ` of ${text(quantity(BigInt(store.max_bytes), 'B'))}`;
  const since = store.first_sample === null ? undefined : millisOf(store.first_sample);
  const out = received.unsigned + received.bad_signature + received.invalid;
  return [
    { name: 'Samples', value: count(store.samples), note: `${size}${most}, ${storeName(store.kind)}`, state: 'none' },
    {
      name: 'Since',
      value: since === undefined ? '–' : span((now - since) / 1000),
      note: since === undefined ? 'no samples yet' : clock(since, now),
      state: 'none',
    },
    { name: 'Resources', value: count(store.resources), note: `${count(store.series)} series`, state: 'none' },
    { name: 'Meters', value: count(store.meters), note: kept, state: 'none' },
    {
      name: 'Agents',
      value: count(agents.length),
      note: agentsNote(agents.length, lateAgents),
      state: lateAgents > 0 ? 'bad' : 'none',
    },
    {
      name: 'Late',
      value: count(lateTotal),
      note: lateTotal === 0 ? 'nothing is overdue' : 'overdue now',
      state: lateTotal > 0 ? 'bad' : 'none',
    },
    {
      name: 'Gaps',
      value: count(gapsTotal),
      note: gapsTotal === 0 ? 'none seen' : 'samples missed',
      state: gapsTotal > 0 ? 'warn' : 'none',
    },
    {
      name: 'Kept out',
      value: count(out),
      note: out === 0 ? 'unsigned or invalid' : `${received.unsigned + received.bad_signature} by signature`,
      state: out > 0 ? 'warn' : 'none',
    },
  ];
}

function agentsNote(agents: number, late: number): string {
  if (agents === 0) return 'none so far';
  return late === 0 ? 'all on time' : `${late} late`;
}

const count = (number: number) => grouped(String(number));
const storeName = (kind: Status['store']['kind']) => (kind === 'sqlite' ? 'SQLite' : 'PostgreSQL');

function createTile() {
  const name = element('dt');
  const value = element('dd', { class: 'number' });
  const note = element('dd', { class: 'note' });
  const root = element('div', { class: 'tile' }, name, value, note);
  return {
    root,
    update(tile: Tile) {
      setText(name, tile.name);
      setText(value, tile.value);
      setText(note, tile.note);
      setAttribute(root, 'data-state', tile.state);
    },
  };
}

interface AgentLine {
  readonly agent: Agent;
  readonly now: number;
}

function createAgent() {
  const name = element('th', { scope: 'row' });
  const cells = Array.from({ length: 4 }, () => element('td'));
  const state = element('span', { class: 'badge' });
  const root = element('tr', {}, name, ...cells, element('td', {}, state));
  return {
    root,
    update({ agent, now }: AgentLine) {
      setText(name, agent.agent);
      const [since, last] = [millisOf(agent.first_seen), millisOf(agent.last_seen)];
      const every = agent.interval === null ? '–' : `every ${span(roundedInterval(agent.interval))}`;
      const texts = [clock(since, now), ago(last, now), every, grouped(String(agent.samples))];
      for (const [index, cell] of cells.entries()) setText(cell, texts[index] ?? '');
      setText(state, agent.late ? 'late' : 'on time');
      setAttribute(state, 'data-state', agent.late ? 'bad' : 'good');
    },
  };
}

/** Polls come a few milliseconds early or late. */
export function roundedInterval(seconds: number): number {
  return seconds < 2 ? Number(seconds.toFixed(1)) : Math.round(seconds);
}

function lateHeadline(shown: number, total: number): string {
  return `${count(total)} series overdue${shown < total ? `, the ${shown} longest overdue here` : ''}`;
}

function gapHeadline(shown: number, total: number): string {
  return `${plural(total, 'gap')}, the latest of ${shown === 1 ? 'one' : count(shown)} series here`;
}

interface Trouble {
  readonly meter: string;
  readonly resource_id: string;
}

interface TroubleLine<T> {
  readonly trouble: T;
  readonly now: number;
}

/** A folded list, hidden while it is empty. */
function troubleList<T extends Trouble>(
  id: string,
  headline: (shown: number, total: number) => string,
  say: (trouble: T, now: number) => string,
) {
  const box = byId<HTMLDetailsElement>(id);
  const summary = byId(`${id}-summary`);
  const rows = keyedList<TroubleLine<T>>(
    byId(`${id}-list`),
    ({ trouble }) => `${trouble.meter}\n${trouble.resource_id}`,
    ({ trouble }) => {
      const link = element(
        'a',
        { href: viewHref({ kind: 'resource', name: trouble.resource_id }) },
        `${trouble.meter} of ${trouble.resource_id}`,
      );
      const words = element('span', { class: 'note' });
      return {
        root: element('li', {}, link, words),
        update: (line: TroubleLine<T>) => setText(words, say(line.trouble, line.now)),
      };
    },
  );
  return (troubles: readonly T[], total: number, now: number) => {
    box.hidden = total === 0;
    setText(summary, headline(troubles.length, total));
    rows.show(troubles.map((trouble) => ({ trouble, now })));
  };
}
