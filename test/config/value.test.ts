import { describe, expect, it } from 'vitest';
import type { Option } from '../../src/config/option.ts';
import { parseValue } from '../../src/config/value.ts';

const help = 'Any.';
const integer: Option = { type: 'integer', help };
const float: Option = { type: 'float', help };
const boolean: Option = { type: 'boolean', help };
const list: Option = { type: 'list', default: [], help };

describe('parseValue', () => {
  it.each<[Option, string, unknown]>([
    [integer, '12', 12],
    [integer, ' -3 ', -3],
    [integer, '+1_000', 1000],
    [integer, '-0', 0],
    [integer, '', undefined],
    [float, '1.5', 1.5],
    [float, '.5', 0.5],
    [float, '5.', 5],
    [float, '1e3', 1000],
    [float, '1_0.5e1', 105],
    [boolean, 'True', true],
    [boolean, 'ON', true],
    [boolean, 'yes', true],
    [boolean, '1', true],
    [boolean, 'off', false],
    [boolean, 'No', false],
    [boolean, '0', false],
    [list, 'a, b ,c', ['a', 'b', 'c']],
    [list, 'a,,b,', ['a', '', 'b']],
    [list, '\na,\nb', ['a', 'b']],
    [list, ' ', []],
    [{ type: 'string', help }, ' kept ', ' kept '],
    [{ type: 'string', help }, '', undefined],
    [{ type: 'string', default: 'x', help }, '', ''],
    [{ type: 'string', choices: ['kvm', 'lxc'], help }, 'lxc', 'lxc'],
    [{ type: 'string', choices: ['Days'], anyCase: true, help }, 'days', 'Days'],
  ])('reads %j from %j as %j', (option, text, value) => {
    expect(parseValue(option, [text])).toEqual({ value });
  });

  it.each<[Option, string, string]>([
    [integer, '1.0', 'an integer'],
    [integer, '0x10', 'an integer'],
    [integer, '9007199254740993', 'an integer'],
    [integer, '1__0', 'an integer'],
    [{ ...integer, min: 1 }, '0', 'an integer of 1 or more'],
    [{ ...integer, max: 5 }, '6', 'an integer of 5 or less'],
    [{ ...integer, min: 1, max: 5 }, '6', 'an integer from 1 to 5'],
    [float, 'nan', 'a number'],
    [float, 'inf', 'a number'],
    [float, '1e999', 'a number'],
    [float, '.', 'a number'],
    [boolean, 'maybe', 'true or false'],
    [boolean, '', 'true or false'],
    [{ type: 'string', choices: ['kvm', 'lxc'], help }, 'KVM', 'one of kvm, lxc'],
    [{ type: 'string', pattern: { matches: /^x$/, expected: 'an x' }, help }, 'y', 'an x'],
  ])('expects of %j, when it gets %j, %s', (option, text, expected) => {
    expect(parseValue(option, [text])).toEqual({ expected });
  });

  it('takes the last of several values, and all of them for a multi option', () => {
    expect(parseValue(integer, ['1', '2'])).toEqual({ value: 2 });
    expect(parseValue({ type: 'multi', default: [], help }, ['1', 'b,c'])).toEqual({ value: ['1', 'b,c'] });
  });

  it('tells that an empty number leaves the default in force', () => {
    const parsed = parseValue({ ...integer, default: 50 }, ['']);

    expect(parsed).toEqual({ value: 50, note: 'is empty, so the default 50 holds' });
  });
});
