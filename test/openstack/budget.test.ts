import { describe, expect, it } from 'vitest';
import { createBudget } from '../../src/openstack/budget.ts';
import { FakeClock, settle } from '../helpers/fake-clock.ts';
import { json } from '../helpers/fake-openstack.ts';
import { cloudWith, SERVERS, servers, sessionOf, signal } from './support.ts';

/** Requests that end when a test says so. */
function requests() {
  const begun: string[] = [];
  const end = new Map<string, () => void>();
  const make = (name: string) => () =>
    new Promise<void>((resolve) => {
      begun.push(name);
      end.set(name, resolve);
    });
  return { begun, make, finish: (name: string) => end.get(name)?.() };
}

describe('the budget of a service', () => {
  it('lets so many requests through at a time, the others in the order they came', async () => {
    const budget = createBudget({ maxRequestsPerSecond: 0, maxRequestsInFlight: 2, clock: new FakeClock(0) });
    const { begun, make, finish } = requests();

    const all = ['a', 'b', 'c', 'd'].map((name) => budget.spend('x', signal(), make(name)));
    await settle();
    const atFirst = [...begun];
    finish('b');
    await settle();
    const later = [...begun];
    for (const name of ['a', 'c']) finish(name);
    await settle();
    finish('d');
    await Promise.all(all);

    expect(atFirst).toEqual(['a', 'b']);
    expect(later).toEqual(['a', 'b', 'c']);
    expect(begun).toEqual(['a', 'b', 'c', 'd']);
  });

  it('spaces requests in time, each service for itself', async () => {
    const clock = new FakeClock(0);
    const budget = createBudget({ maxRequestsPerSecond: 2, maxRequestsInFlight: 10, clock });
    const begun: [string, number][] = [];
    const request = (name: string) => async () => void begun.push([name, clock.monotonic()]);

    const all = ['a', 'b', 'c'].map((name) => budget.spend('x', signal(), request(name)));
    all.push(budget.spend('y', signal(), request('y')));
    await clock.pass(1000);
    await Promise.all(all);

    expect(begun.sort()).toEqual([
      ['a', 0],
      ['b', 500],
      ['c', 1000],
      ['y', 0],
    ]);
  });

  it('gives the place of a request that failed to the next, and none to one that was given up', async () => {
    const budget = createBudget({ maxRequestsPerSecond: 0, maxRequestsInFlight: 1, clock: new FakeClock(0) });
    const stop = new AbortController();
    const { begun, make, finish } = requests();

    const failing = budget.spend('x', signal(), async () => {
      await make('failing')();
      throw new Error('no answer');
    });
    const givenUp = budget.spend('x', stop.signal, make('given up'));
    const next = budget.spend('x', signal(), make('next'));
    stop.abort(new Error('too late'));
    await expect(givenUp).rejects.toThrow('too late');
    finish('failing');
    await expect(failing).rejects.toThrow('no answer');
    finish('next');
    await next;

    expect(begun).toEqual(['failing', 'next']);
    expect(budget.use()).toMatchObject([{ requests: 2, inFlight: 0, waiting: 0, waits: 2 }]);
  });

  it('tells what is used of it', async () => {
    const clock = new FakeClock(0);
    const budget = createBudget({ maxRequestsPerSecond: 2, maxRequestsInFlight: 2, clock });
    const { make, finish } = requests();

    const all = ['a', 'b', 'c'].map((name) => budget.spend('x', signal(), make(name)));
    await settle();
    const [first] = budget.use();
    await clock.pass(500);
    const [second] = budget.use();
    finish('a');
    await clock.pass(500);
    finish('b');
    finish('c');
    await Promise.all(all);
    const [last] = budget.use();

    const limits = { service: 'x', inFlightLimit: 2, perSecondLimit: 2 };
    expect(first).toEqual({ ...limits, requests: 1, inFlight: 1, waiting: 2, waits: 0, waitSeconds: 0 });
    expect(second).toEqual({ ...limits, requests: 2, inFlight: 2, waiting: 1, waits: 1, waitSeconds: 0.5 });
    expect(last).toEqual({ ...limits, requests: 3, inFlight: 0, waiting: 0, waits: 2, waitSeconds: 1.5 });
  });
});

describe('a session', () => {
  it('keeps to the budget', async () => {
    let underWay = 0;
    let most = 0;
    let fill = () => {};
    const full = new Promise<void>((resolve) => {
      fill = resolve;
    });
    const cloud = await cloudWith({
      async [SERVERS](asked, response) {
        underWay += 1;
        most = Math.max(most, underWay);
        if (underWay === 8) fill();
        await full;
        await new Promise((resolve) => setTimeout(resolve, 20));
        underWay -= 1;
        return json(servers)(asked, response);
      },
    });
    const compute = sessionOf(cloud).service('compute');

    await Promise.all(Array.from({ length: 20 }, () => compute.get('/servers', { signal: signal() })));

    expect(most).toBe(8);
  });
});
