/** What was chosen: a resource with a chart for each of its meters, or a meter with one for each of its resources. */
import { plural } from '../../../util/text.ts';
import type { ResourceDetail } from '../../api/schema.ts';
import { type Api, Refused } from './api.ts';
import { givenName, type MeterRow, type ResourceRow } from './browse.ts';
import { type Card, type CardItem, createCard, type View } from './card.ts';
import { byId, element, keyedList, setText } from './dom.ts';
import { roundedInterval } from './overview.ts';
import { type Choice, viewHref } from './route.ts';
import { ago, clock, millisOf, span } from './time.ts';

export interface Detail {
  /** Reads what there is of the choice, and shows the charts that are in sight. */
  refresh(choice: Choice, view: View): Promise<void>;
  redraw(): void;
}

/** Charts that are added at a time. */
const CHUNK = 60;

interface Content {
  readonly title: string;
  readonly facts: readonly string[];
  readonly items: readonly CardItem[];
  readonly more: boolean;
  readonly metadata: Readonly<Record<string, unknown>> | undefined;
}

export function createDetail(api: Api, failed: (error: unknown) => void): Detail {
  const title = byId('detail-title');
  const facts = byId('detail-facts');
  const metadata = byId<HTMLDetailsElement>('metadata');
  const metadataRows = keyedList<readonly [string, string]>(byId('metadata-list'), ([key]) => key, createFact);
  const more = byId<HTMLButtonElement>('more');
  let view: View | undefined;
  let shown: { readonly choice: Choice; limit: number } | undefined;
  const byRoot = new WeakMap<Element, Card>();
  const sight = new IntersectionObserver(
    (entries) => {
      for (const { target, isIntersecting } of entries) {
        const card = byRoot.get(target);
        if (card === undefined || card.visible === isIntersecting) continue;
        card.visible = isIntersecting;
        if (isIntersecting && view !== undefined) card.refresh(view).catch(failed);
      }
    },
    { rootMargin: '200px' },
  );
  const cards = new Set<Card>();
  const list = keyedList<CardItem>(
    byId('cards'),
    ({ meter, resource }) => `${meter}\n${resource}`,
    (item) => {
      const card = createCard(api, item);
      cards.add(card);
      byRoot.set(card.root, card);
      sight.observe(card.root);
      return {
        ...card,
        remove() {
          sight.unobserve(card.root);
          cards.delete(card);
          card.remove?.();
        },
      };
    },
  );
  more.addEventListener('click', () => {
    if (shown === undefined || view === undefined) return;
    shown.limit += CHUNK;
    refresh(shown.choice, view).catch(failed);
  });

  async function refresh(choice: Choice, next: View): Promise<void> {
    view = next;
    if (shown === undefined || !isSame(shown.choice, choice)) {
      shown = { choice, limit: CHUNK };
      setText(title, choice.name);
      setText(facts, '');
      list.show([]);
    }
    const mine = shown;
    const content = await (choice.kind === 'resource' ? ofResource : ofMeter)(api, choice.name, mine.limit, next);
    // Something else was chosen meanwhile.
    if (shown !== mine) return;
    show(content);
    await Promise.all([...cards].filter(({ visible }) => visible).map((card) => card.refresh(next)));
  }

  function show(content: Content): void {
    setText(title, content.title);
    setText(facts, content.facts.join(' · '));
    byId('detail-empty').hidden = content.items.length > 0;
    list.show(content.items);
    more.hidden = !content.more;
    const entries = content.metadata === undefined ? [] : flat(content.metadata);
    metadata.hidden = entries.length === 0;
    metadataRows.show(entries);
  }

  return {
    refresh,
    redraw() {
      for (const card of cards) card.redraw();
    },
  };
}

async function ofResource(api: Api, id: string, limit: number, view: View): Promise<Content> {
  const found = await orMissing(api.resource(id));
  if (found === undefined) return missing('resource', id);
  const shown = [...found.meters].sort(byInterest).slice(0, limit);
  const now = view.now();
  const name = givenName(found);
  return {
    title: name ?? id,
    facts: [
      ...(name === undefined ? [] : [id]),
      plural(found.meters.length, 'meter'),
      ...owner(found),
      `since ${clock(millisOf(found.first_sample), now)}`,
      `last ${ago(millisOf(found.last_sample), now)}`,
    ],
    items: shown.map(({ name: meter, type, unit, interval }) => ({
      meter,
      resource: id,
      title: meter,
      href: viewHref({ kind: 'meter', name: meter }),
      type,
      unit,
      interval,
    })),
    more: found.meters.length > shown.length,
    metadata: found.metadata,
  };
}

async function ofMeter(api: Api, name: string, limit: number, view: View): Promise<Content> {
  const [{ meters }, { resources, next }] = await Promise.all([
    api.meters({ search: name, limit: 1000 }),
    api.resources({ meter: name, limit }),
  ]);
  const found = meters.find((meter) => meter.name === name);
  if (found === undefined) return missing('meter', name);
  const now = view.now();
  return {
    title: name,
    facts: [
      `${found.type}, ${found.unit}`,
      plural(found.resources, 'resource'),
      ...every(found),
      `since ${clock(millisOf(found.first_sample), now)}`,
      `last ${ago(millisOf(found.last_sample), now)}`,
    ],
    items: resources.map((resource) => ({
      meter: name,
      resource: resource.resource_id,
      title: givenName(resource) ?? resource.resource_id,
      href: viewHref({ kind: 'resource', name: resource.resource_id }),
      type: found.type,
      unit: found.unit,
      interval: found.interval,
    })),
    more: next !== null,
    metadata: undefined,
  };
}

function isSame(a: Choice, b: Choice): boolean {
  return a.kind === b.kind && a.name === b.name;
}

function missing(kind: Choice['kind'], name: string): Content {
  return { title: name, facts: [`there is no such ${kind}`], items: [], more: false, metadata: undefined };
}

function orMissing<T>(answer: Promise<T>): Promise<T | undefined> {
  return answer.catch((error) => {
    if (error instanceof Refused && error.status === 404) return undefined;
    throw error;
  });
}

function owner({ project_name: name, project_id: project, source }: ResourceRow | ResourceDetail): string[] {
  const of = name ?? project;
  return [...(of === null ? [] : [`project ${of}`]), `source ${source}`];
}

function every({ interval }: MeterRow): string[] {
  return interval === null ? [] : [`every ${span(roundedInterval(interval))}`];
}

type ResourceMeter = ResourceDetail['meters'][number];

/** Shares say most at a glance. */
function byInterest(a: ResourceMeter, b: ResourceMeter): number {
  return Number(b.unit === '%') - Number(a.unit === '%') || compare(a.name, b.name);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Metadata as `flavor.name`, `image.id`. */
function flat(value: Readonly<Record<string, unknown>>, prefix = ''): (readonly [string, string])[] {
  return Object.entries(value).flatMap(([key, inner]) => {
    const name = `${prefix}${key}`;
    if (typeof inner === 'object' && inner !== null && !Array.isArray(inner))
      return flat(inner as Record<string, unknown>, `${name}.`);
    const said = typeof inner === 'string' ? inner : typeof inner === 'bigint' ? String(inner) : JSON.stringify(inner);
    return [[name, said] as const];
  });
}

function createFact([name]: readonly [string, string]) {
  const value = element('dd');
  return {
    root: element('div', {}, element('dt', {}, name), value),
    update: ([, text]: readonly [string, string]) => setText(value, text),
  };
}
