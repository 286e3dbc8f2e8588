/** The lists of resources and of meters, searched by the collector. */
import { grouped, plural } from '../../../util/text.ts';
import type { MeterPage, ResourcePage } from '../../api/schema.ts';
import { byId, element, keyedList, setAttribute, setText } from './dom.ts';
import { type Choice, viewHref } from './route.ts';
import { ago, millisOf } from './time.ts';

export type ResourceRow = ResourcePage['resources'][number];
export type MeterRow = MeterPage['meters'][number];

interface Entry {
  readonly choice: Choice;
  readonly title: string;
  readonly note: string;
  readonly late: number;
  readonly current: boolean;
}

interface Lists {
  readonly resources: ResourcePage;
  readonly meters: MeterPage;
  readonly search: string;
  readonly choice: Choice | undefined;
  readonly now: number;
}

export interface Browse {
  show(lists: Lists): void;
  /** Shows the list that the choice is from. */
  turnTo(kind: Choice['kind']): void;
}

export function createBrowse(): Browse {
  const list = byId('list');
  const none = byId('list-empty');
  const more = byId('list-more');
  const entries = keyedList<Entry>(list, ({ choice }) => viewHref(choice), createEntry);
  const tabs = { resource: byId<HTMLInputElement>('tab-resource'), meter: byId<HTMLInputElement>('tab-meter') };
  let shown: Lists | undefined;
  for (const tab of Object.values(tabs)) tab.addEventListener('change', draw);

  function draw(): void {
    if (shown === undefined) return;
    const { resources, meters, search, choice, now } = shown;
    const resourceRows = resources.resources.map((row) => resourceEntry(row, choice, now));
    const meterRows = meters.meters.map((row) => meterEntry(row, choice, now));
    setText(byId('tab-resource-count'), `${grouped(String(resourceRows.length))}${resources.next === null ? '' : '+'}`);
    setText(byId('tab-meter-count'), `${grouped(String(meterRows.length))}${meters.next === null ? '' : '+'}`);
    const [rows, next] = tabs.meter.checked ? [meterRows, meters.next] : [resourceRows, resources.next];
    entries.show(rows);
    none.hidden = rows.length > 0;
    setText(none, search === '' ? 'Nothing has been collected yet.' : `Nothing has “${search}” in its name.`);
    more.hidden = next === null;
    setText(more, `The first ${rows.length}; search for the others.`);
  }

  return {
    show(lists) {
      shown = lists;
      draw();
    },
    turnTo(kind) {
      tabs[kind].checked = true;
      draw();
    },
  };
}

/** The name that a person gave it, if any. */
export function givenName({ metadata }: { readonly metadata: Readonly<Record<string, unknown>> }): string | undefined {
  for (const key of ['display_name', 'name']) {
    const name = metadata[key];
    if (typeof name === 'string' && name !== '') return name;
  }
  return undefined;
}

function resourceEntry(row: ResourceRow, choice: Choice | undefined, now: number): Entry {
  const name = givenName(row);
  const parts = [plural(row.meters.length, 'meter'), ago(millisOf(row.last_sample), now)];
  return {
    choice: { kind: 'resource', name: row.resource_id },
    title: name ?? row.resource_id,
    note: [...(name === undefined ? [] : [row.resource_id]), ...parts].join(' · '),
    late: 0,
    current: choice?.kind === 'resource' && choice.name === row.resource_id,
  };
}

function meterEntry(row: MeterRow, choice: Choice | undefined, now: number): Entry {
  const parts = [plural(row.resources, 'resource'), `${row.type}, ${row.unit}`, ago(millisOf(row.last_sample), now)];
  return {
    choice: { kind: 'meter', name: row.name },
    title: row.name,
    note: parts.join(' · '),
    late: row.late,
    current: choice?.kind === 'meter' && choice.name === row.name,
  };
}

function createEntry({ choice }: Entry) {
  const title = element('span', { class: 'title' });
  const note = element('span', { class: 'note' });
  const badge = element('span', { class: 'badge', 'data-state': 'bad' });
  const link = element('a', { href: viewHref(choice) }, title, badge, note);
  return {
    root: element('li', {}, link),
    update(entry: Entry) {
      setText(title, entry.title);
      setText(note, entry.note);
      setText(badge, entry.late > 0 ? `${entry.late} late` : '');
      setAttribute(link, 'aria-current', entry.current ? 'true' : undefined);
    },
  };
}
