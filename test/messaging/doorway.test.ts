import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Doorway } from '../../src/messaging/doorway.ts';

const never = new AbortController().signal;
let room = 0;
let inside: string[] = [];

function doorway() {
  return new Doorway<string>({
    isFull: () => room === 0,
    enter: (item) => {
      room -= 1;
      inside.push(item);
    },
  });
}

beforeEach(() => {
  vi.useFakeTimers();
  room = 0;
  inside = [];
});

afterEach(() => {
  vi.useRealTimers();
});

it('lets in at once while there is room', async () => {
  room = 2;

  await doorway().pass('a', never);

  expect(inside).toEqual(['a']);
});

it('lets in as many as there is room for, first come first served, whoever comes meanwhile', async () => {
  const door = doorway();
  const passed = ['a', 'b', 'c'].map((item) => door.pass(item, never));

  room = 2;
  const late = door.pass('d', never);
  door.look();
  await Promise.all(passed.slice(0, 2));

  expect(inside).toEqual(['a', 'b']);
  room = 2;
  door.look();
  await Promise.all([passed[2], late]);
  expect(inside).toEqual(['a', 'b', 'c', 'd']);
});

it('lets in whose time is over, and nobody else for it', async () => {
  const door = doorway();
  const limit = new AbortController();
  void door.pass('a', never);
  const passed = door.pass('b', limit.signal);

  limit.abort();
  await passed;

  expect(inside).toEqual(['b']);
  await door.pass('c', limit.signal);
  expect(inside).toEqual(['b', 'c']);
});

it('keeps nobody waiting once nothing has changed for a while, until something does', async () => {
  const door = doorway();
  const passed = [door.pass('a', never), door.pass('b', never)];
  await vi.advanceTimersByTimeAsync(4_000);
  door.look();
  await vi.advanceTimersByTimeAsync(4_000);
  expect(inside).toEqual([]);

  await vi.advanceTimersByTimeAsync(1_000);
  await Promise.all(passed);
  await door.pass('c', never);
  expect(inside).toEqual(['a', 'b', 'c']);

  room = 0;
  door.look();
  void door.pass('d', never);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(inside).toEqual(['a', 'b', 'c']);
});

it('leaves neither a timer nor a listener behind', async () => {
  const door = doorway();
  const limit = new AbortController();
  const removed = vi.spyOn(limit.signal, 'removeEventListener');
  const passed = door.pass('a', limit.signal);

  room = 1;
  door.look();
  await passed;

  expect(vi.getTimerCount()).toBe(0);
  expect(removed).toHaveBeenCalledOnce();
});

it('lets in more when what enters makes room', async () => {
  const door: Doorway<string> = new Doorway({
    isFull: () => room === 0,
    enter: (item) => {
      inside.push(item);
      door.look();
    },
  });
  const passed = ['a', 'b', 'c'].map((item) => door.pass(item, never));

  room = 1;
  door.look();
  await Promise.all(passed);

  expect(inside).toEqual(['a', 'b', 'c']);
});
