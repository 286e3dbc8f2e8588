/** The page: asks the collector again and again, and shows what it answers. */
import type { MeterPage, ResourcePage, Status } from '../../api/schema.ts';
import { type Api, createApi, Unauthorized, Unreachable } from './api.ts';
import { createBrowse } from './browse.ts';
import type { View } from './card.ts';
import { createDetail } from './detail.ts';
import { byId, setText } from './dom.ts';
import { createOverview } from './overview.ts';
import { type Choice, choiceOf } from './route.ts';
import { followTheme, remember, remembered } from './theme.ts';
import { ago, clock, millisOf } from './time.ts';

const TOKEN = 'ceilometer.token';
const RANGE = 'ceilometer.range';
/** Milliseconds from one look to the next; while the first samples are awaited, and after that. */
const FIRST_PAUSE = 400;
const PAUSE = 4000;
/** Of each list. */
const MOST_ENTRIES = 200;
const TYPING = 200;
/** A list with more entries than this is read anew only after this long. */
const SHORT_LIST = 50;
const LONG_PAUSE = 30_000;
/** Samples that a chart shows at least, unless a person chose otherwise. */
const FEWEST_SAMPLES = 30;

interface Lists {
  readonly text: string;
  readonly resources: ResourcePage;
  readonly meters: MeterPage;
  readonly until: number;
}
/** Seconds that a chart shows at least. */
const YOUNGEST = 60;

const session = () => sessionStorage;

function start(): void {
  let token = remembered(TOKEN, session);
  const api = createApi(() => token);
  const search = byId<HTMLInputElement>('search');
  const range = byId<HTMLSelectElement>('range');
  const overview = createOverview();
  const browse = createBrowse();
  const detail = createDetail(api, trouble);
  let choice: Choice | undefined = choiceOf(location.hash);
  /** By how much the collector's clock is ahead of ours. */
  let ahead = 0;
  /** When the first sample was taken. */
  let since: number | undefined;
  let answeredAt: number | undefined;
  let failing = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let running = false;
  let again = false;
  let lists: Lists | undefined;
  /** Whether the time shown is chosen. */
  let ranged = false;

  const view: View = {
    get range() {
      return Number(range.value);
    },
    get covered() {
      const age = since === undefined ? 0 : (view.now() - since) / 1000;
      return Math.min(view.range, Math.max(YOUNGEST, age));
    },
    now: () => Date.now() + ahead,
  };

  /** One look; a wish for another one meanwhile is kept, several count as one. */
  async function look(): Promise<void> {
    if (running) {
      again = true;
      return;
    }
    clearTimeout(timer);
    running = true;
    let pause = PAUSE;
    try {
      const samples = await lookOnce(api);
      if (samples === 0) pause = FIRST_PAUSE;
      answered();
    } catch (error) {
      trouble(error);
    }
    running = false;
    if (again) {
      again = false;
      void look();
    } else if (!document.hidden) timer = setTimeout(look, pause);
  }

  /** The lists; long ones are not read anew at each look. */
  async function readLists({ meters: readMeters, resources: readResources }: Api, text: string): Promise<Lists> {
    const fresh = lists !== undefined && lists.text === text && Date.now() < lists.until;
    if (lists !== undefined && fresh) return lists;
    const query = { search: text === '' ? undefined : text, limit: MOST_ENTRIES };
    const [resources, meters] = await Promise.all([readResources(query), readMeters(query)]);
    const until = Date.now() + (resources.resources.length > SHORT_LIST ? LONG_PAUSE : 0);
    lists = { text, resources, meters, until };
    return lists;
  }

  /** The shortest time that has enough samples of the slowest agent. */
  function rangeFor({ agents }: Status): void {
    const intervals = agents.flatMap(({ interval }) => interval ?? []);
    if (intervals.length === 0) return;
    const needed = Math.max(...intervals) * FEWEST_SAMPLES;
    const options = [...range.options].map(({ value }) => Number(value));
    const fit = options.find((seconds) => seconds >= needed) ?? options.at(-1);
    if (fit !== undefined && fit > Number(range.value)) range.value = String(fit);
    ranged = true;
  }

  async function lookOnce(asked: Api): Promise<number> {
    const text = search.value.trim();
    const [status, { resources, meters }] = await Promise.all([asked.status(), readLists(asked, text)]);
    if (!ranged) rangeFor(status);
    ahead = millisOf(status.now) - Date.now();
    since = status.store.first_sample === null ? undefined : millisOf(status.store.first_sample);
    const now = view.now();
    overview.show(status, now);
    setText(
      byId('about'),
      `ceilometer-collector ${status.version}, running since ${clock(millisOf(status.started_at), now)}`,
    );
    // The resource that says the most is a good one to begin with.
    if (choice === undefined && text === '') {
      const [most] = [...resources.resources].sort((a, b) => b.meters.length - a.meters.length);
      if (most !== undefined) choice = { kind: 'resource', name: most.resource_id };
    }
    browse.show({ resources, meters, search: text, choice, now });
    byId('detail').hidden = choice === undefined;
    if (choice !== undefined) await detail.refresh(choice, view);
    return status.store.samples;
  }

  function answered(): void {
    answeredAt = Date.now();
    failing = false;
    byId('trouble').hidden = true;
    byId('token').hidden = true;
    document.body.dataset['state'] = 'live';
    tellAge();
  }

  function trouble(error: unknown): void {
    failing = true;
    document.body.dataset['state'] = 'trouble';
    if (error instanceof Unauthorized) {
      const form = byId('token');
      setText(byId('token-reason'), token === null ? 'This collector asks for a token.' : 'This token is wrong.');
      if (form.hidden) {
        form.hidden = false;
        byId('token-input').focus();
      }
      byId('trouble').hidden = true;
      return;
    }
    const since = answeredAt === undefined ? '' : ` What is below is from ${clock(answeredAt, Date.now())}.`;
    const what =
      error instanceof Unreachable
        ? 'The collector does not answer; trying again.'
        : `The collector answers with an error: ${error instanceof Error ? error.message : String(error)}.`;
    setText(byId('trouble'), what + since);
    byId('trouble').hidden = false;
    tellAge();
  }

  function tellAge(): void {
    const age = answeredAt === undefined ? 'connecting' : `updated ${ago(answeredAt, Date.now())}`;
    setText(byId('pulse'), failing && answeredAt === undefined ? 'not connected' : age);
  }

  followTheme(() => detail.redraw());
  const kept = remembered(RANGE);
  if (kept !== null && [...range.options].some(({ value }) => value === kept)) {
    range.value = kept;
    ranged = true;
  }
  range.addEventListener('change', () => {
    remember(RANGE, range.value);
    ranged = true;
    void look();
  });
  let typing: ReturnType<typeof setTimeout> | undefined;
  search.addEventListener('input', () => {
    clearTimeout(typing);
    typing = setTimeout(look, TYPING);
  });
  byId('search-form').addEventListener('submit', (event) => {
    event.preventDefault();
    document.querySelector<HTMLAnchorElement>('#list a')?.focus();
  });
  byId('token').addEventListener('submit', (event) => {
    event.preventDefault();
    token = byId<HTMLInputElement>('token-input').value.trim();
    remember(TOKEN, token, session);
    void look();
  });
  addEventListener('hashchange', () => {
    const next = choiceOf(location.hash);
    if (next === undefined) return;
    choice = next;
    browse.turnTo(next.kind);
    byId('detail-title').scrollIntoView({ block: 'nearest' });
    void look();
  });
  addEventListener('keydown', (event) => {
    const typingNow = event.target instanceof Element && event.target.matches('[type=search], [type=password], select');
    if (event.key !== '/' || typingNow || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    search.focus();
  });
  document.addEventListener('visibilitychange', () => {
    if (document.hidden) clearTimeout(timer);
    else void look();
  });
  setInterval(tellAge, 1000);
  if (choice !== undefined) browse.turnTo(choice.kind);
  void look();
}

start();
