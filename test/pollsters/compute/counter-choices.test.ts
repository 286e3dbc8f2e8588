import { describe, expect, it } from 'vitest';
import { CounterChoices } from '../../../src/pollsters/compute/counter-choices.ts';

describe('the counter that a value comes from', () => {
  /** What of an instance counts, whose readings are 10 s apart; a letter for the counter of each. */
  function accepted(choices: CounterChoices, counters: string, { life = 1, from = 0, id = 'a' } = {}): string {
    return [...counters]
      .map((counter, index) => (choices.accepts(id, { counter, life, at: from + 10 * index }) ? counter : '-'))
      .join('');
  }

  it('is not another one for a single reading', () => {
    expect(accepted(new CounterChoices(), 'vvdvdv')).toBe('vv-v-v');
  });

  it('is another one when the usual one is missing twice in a row', () => {
    expect(accepted(new CounterChoices(), 'vddvdvv')).toBe('v-d-d-v');
  });

  it('is the same for all who ask about one reading', () => {
    const choices = new CounterChoices();
    accepted(choices, 'v');
    const odd = { counter: 'd', life: 1, at: 10 };

    expect([choices.accepts('a', odd), choices.accepts('a', odd)]).toEqual([false, false]);
  });

  it('may be any at the first reading of a life', () => {
    const choices = new CounterChoices();
    accepted(choices, 'vv');

    expect(accepted(choices, 'dd', { life: 2, from: 100 })).toBe('dd');
  });

  it('is forgotten with the instance', () => {
    const choices = new CounterChoices();
    accepted(choices, 'v');
    accepted(choices, 'v', { id: 'b' });

    choices.keepOnly(new Set(['b']));

    expect(accepted(choices, 'd', { from: 100 })).toBe('d');
    expect(accepted(choices, 'd', { from: 100, id: 'b' })).toBe('-');
  });
});
