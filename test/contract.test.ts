import { describe, expect, it } from 'vitest';
import { builtin } from '../src/agent/builtin.ts';
import { definePlugin, definePollster, type Reading } from '../src/plugin.ts';
import { checkPlugin } from '../src/testing.ts';

describe('every built-in plugin', () => {
  it.each(Object.entries(builtin))('keeps the contract: %s', async (_, load) => {
    const { default: plugin } = await load();

    await checkPlugin(plugin);
  });
});

describe('checkPlugin', () => {
  const meter = { name: 'x', type: 'gauge', unit: '' } as const;
  const of = (poll: () => Iterable<Reading> | AsyncIterable<Reading>) =>
    definePlugin({ api: 1, name: 'p', pollsters: { host: { x: definePollster(meter, { poll }) } } });

  it('passes a plugin that keeps the rules', async () => {
    await checkPlugin(of(() => [{ resourceId: 'r', volume: 1 }]));
  });

  it.each<[string, ReturnType<typeof of>]>([
    ['host x: volume NaN of r', of(() => [{ resourceId: 'r', volume: Number.NaN }])],
    [
      'host x: it broke',
      of(() => {
        throw new Error('it broke');
      }),
    ],
    [
      'host x: yields y, which it does not declare',
      of(() => [{ resourceId: 'r', volume: 1, meter: { ...meter, name: 'y' } }]),
    ],
    [
      'host x: a poll whose signal has aborted goes on for more than a second',
      (() => {
        let polls = 0;
        return of(async function* () {
          polls += 1;
          if (polls > 1) await new Promise(() => {});
          yield { resourceId: 'r', volume: 1 };
        });
      })(),
    ],
    [
      'host x: its factory opens something',
      definePlugin({
        api: 1,
        name: 'p',
        pollsters: {
          host: {
            x: () => {
              setTimeout(() => {}, 1500);
              return { meters: [meter], poll: () => [] };
            },
          },
        },
      }),
    ],
    [
      'host x: its factory throws no',
      definePlugin({
        api: 1,
        name: 'p',
        pollsters: {
          host: {
            x: () => {
              throw new Error('no');
            },
          },
        },
      }),
    ],
  ])('tells of a broken rule: %s', async (rule, plugin) => {
    await expect(checkPlugin(plugin)).rejects.toThrow(rule);
  });
});
