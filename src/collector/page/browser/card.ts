/** One meter of one resource: its last value, its chart, and what is odd about it. */
import { quantity } from '../../../util/quantity.ts';
import { plural } from '../../../util/text.ts';
import { type Api, Unauthorized, Unreachable } from './api.ts';
import { type Chart, createChart, described } from './chart.ts';
import { element, type Row, setAttribute, setText } from './dom.ts';
import { type Line, lineOf, type Window, windowOf } from './series.ts';
import { clock, isoOf, span } from './time.ts';
import { charted, isRate, type Kind, rateNote, text } from './volume.ts';

export interface CardItem extends Kind {
  readonly meter: string;
  readonly resource: string;
  /** What the others of the same view do not have in common with it. */
  readonly title: string;
  readonly href: string;
  readonly interval: number | null;
}

export interface View {
  /** Seconds that were asked for. */
  readonly range: number;
  /** Seconds that there can be something of: less while the collecting is young. */
  readonly covered: number;
  /** Milliseconds since 1970, by the clock of the collector. */
  now(): number;
}

export interface Card extends Row<CardItem> {
  readonly root: HTMLElement;
  /** Whether anyone sees it. */
  visible: boolean;
  /** Asks for its values and shows them. Rejects when the collector does not answer. */
  refresh(view: View): Promise<void>;
  redraw(): void;
}

const MOST_ROWS = 2000;
/** A chart is read anew once in this share of the time between samples, but at least this often, in milliseconds. */
const SHARE = 0.1;
const LONGEST_REST = 30_000;

export function createCard(api: Api, item: CardItem): Card {
  const title = element('a', { href: item.href, title: item.title }, item.title);
  const badge = element('span', { class: 'badge' });
  const number = element('span', { class: 'number' });
  const unit = element('span', { class: 'unit' });
  const aside = element('span', { class: 'aside' });
  const plot = element('div', { class: 'plot', role: 'img', tabindex: '0' });
  const empty = element('p', { class: 'empty' }, 'Loading …');
  const reading = element('p', { class: 'reading' });
  const live = element('p', { class: 'unseen', 'aria-live': 'polite' });
  const root = element(
    'article',
    { class: 'card' },
    element('header', {}, element('h3', {}, title), badge),
    element('p', { class: 'now' }, number, unit, aside),
    element('div', { class: 'frame' }, plot, empty),
    reading,
    live,
  );
  let current = item;
  let chart: Chart | undefined;
  let line: Line | undefined;
  let total = '';
  let asked: AbortController | undefined;
  let byKeyboard = false;
  /** Until when what was read will do, and for which time shown. */
  let rest = { until: 0, range: 0 };

  plot.addEventListener('keydown', (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1, PageUp: -10, PageDown: 10 }[event.key];
    if (chart === undefined) return;
    if (step !== undefined) {
      byKeyboard = true;
      chart.step(step);
      event.preventDefault();
    } else if (event.key === 'Escape') chart.leave();
  });
  plot.addEventListener('blur', () => {
    if (byKeyboard) chart?.leave();
    byKeyboard = false;
    setText(live, '');
  });

  function draw(view: View, window: Window, next: Line): void {
    line = next;
    const { last, late, gaps, summary } = next;
    const open = late ? gaps.length - 1 : gaps.length;
    setText(badge, late ? 'late' : open > 0 ? plural(open, 'gap') : '');
    setAttribute(badge, 'data-state', late ? 'bad' : open > 0 ? 'warn' : 'none');
    const during = `the last ${span(view.range)}`;
    const shown = last === undefined ? undefined : charted(last.value, current);
    setText(number, shown?.number ?? (total === '' ? '–' : total));
    setText(unit, shown?.unit ?? '');
    const notes = [
      rateNote(current),
      isRate(current) && shown !== undefined && total !== '' ? `${total} in all` : '',
      next.resets > 0 ? `began anew ${next.resets === 1 ? 'once' : `${next.resets} times`}` : '',
    ];
    setText(aside, notes.filter((note) => note !== '').join(', '));
    setText(empty, emptyText(next, during));
    setAttribute(plot, 'aria-label', `${current.meter} of ${current.resource}: ${described(next, current, during)}`);
    plot.dataset['empty'] = String(summary === undefined);
    if (summary !== undefined) {
      chart ??= createChart(plot, { kind: current, onCursor: (point) => read(view, point) });
      chart.show(next, window);
    }
    if (!byKeyboard) read(view, undefined);
  }

  function emptyText({ x, summary }: Line, during: string): string {
    if (summary !== undefined) return '';
    return x.length === 0 ? `No samples in ${during}.` : 'A rate needs a second sample.';
  }

  function read(view: View, point: { readonly at: number; readonly value: number } | undefined): void {
    if (point !== undefined) {
      const said = `${clock(point.at * 1000, view.now())}   ${text(charted(point.value, current))}`;
      setText(reading, said);
      if (byKeyboard) setText(live, said);
      return;
    }
    const summary = line?.summary;
    if (summary === undefined) setText(reading, '');
    else {
      const [low, mean, high] = [summary.lowest, summary.mean, summary.highest].map((each) => charted(each, current));
      if (low && mean && high) setText(reading, `${text(low)} – ${text(high)}, mean ${text(mean)}`);
    }
  }

  return {
    root,
    visible: false,
    update(next) {
      current = next;
      setText(title, next.title);
      setAttribute(title, 'href', next.href);
    },
    async refresh(view) {
      if (rest.range === view.range && performance.now() < rest.until) return;
      asked?.abort();
      const mine = new AbortController();
      asked = mine;
      const window = windowOf(view.covered, view.now() / 1000, current.interval);
      const { meter, resource } = current;
      const of = { meter, resource };
      try {
        const [statistics, latest] = await Promise.all([
          api.statistics({ ...of, start: isoOf(window.start), period: window.period, limit: MOST_ROWS }, mine.signal),
          isRate(current) ? api.samples({ ...of, limit: 1, metadata: 'false' }, mine.signal) : undefined,
        ]);
        const [sample] = latest?.samples ?? [];
        total = sample === undefined ? '' : text(quantity(sample.counter_volume, sample.counter_unit));
        draw(view, window, lineOf(statistics.statistics, { ...current, now: view.now() / 1000 }));
        const pause = Math.min(LONGEST_REST, (current.interval ?? 0) * 1000 * SHARE);
        rest = { until: performance.now() + pause, range: view.range };
      } catch (error) {
        if (mine.signal.aborted) return;
        if (error instanceof Unreachable || error instanceof Unauthorized) throw error;
        setText(empty, `It could not be read: ${error instanceof Error ? error.message : String(error)}.`);
        plot.dataset['empty'] = 'true';
      }
    },
    redraw: () => chart?.redraw(),
    remove() {
      asked?.abort();
      chart?.destroy();
    },
  };
}
