import { describe, expect, it } from 'vitest';
import { remembered } from '../../src/util/remembered.ts';

describe('what is remembered of names', () => {
  it('is worked out once for each, also where it is nothing', () => {
    const asked: string[] = [];
    const lengthOf = remembered((name) => {
      asked.push(name);
      return name === '' ? undefined : name.length;
    });

    expect(['abc', '', 'abc', ''].map(lengthOf)).toEqual([3, undefined, 3, undefined]);
    expect(asked).toEqual(['abc', '']);
  });

  it('is forgotten when there are too many of them', () => {
    const asked: string[] = [];
    const note = remembered((name) => asked.push(name), 2);

    for (const name of ['a', 'b', 'a', 'c', 'a']) note(name);

    expect(asked).toEqual(['a', 'b', 'c', 'a']);
  });

  it('is not a failure, which is worked out again', () => {
    let broken = true;
    const look = remembered(() => {
      if (broken) throw new Error('not now');
      return 'there';
    });

    expect(() => look('a')).toThrow('not now');
    broken = false;

    expect(look('a')).toBe('there');
  });
});
