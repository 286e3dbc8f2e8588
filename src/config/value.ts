import type { NumberOption, Option, OptionValue, StringOption } from './option.ts';

/** `note` says what was made of an odd value. */
export type ParsedValue = { readonly value: OptionValue; readonly note?: string } | { readonly expected: string };

const TRUE = ['true', '1', 'on', 'yes'];
const FALSE = ['false', '0', 'off', 'no'];
const INTEGER = /^[+-]?\d+(?:_\d+)*$/;
const FLOAT = /^[+-]?(?:\d+(?:_\d+)*\.?(?:\d+(?:_\d+)*)?|\.\d+(?:_\d+)*)(?:e[+-]?\d+)?$/i;

/**
 * The value of an option from what is written: one text, or for `multi` all of them. Reads values as oslo.config does.
 */
export function parseValue(option: Option, texts: readonly string[]): ParsedValue {
  const text = texts.at(-1) ?? '';
  switch (option.type) {
    case 'string':
      return parseString(option, text);
    case 'integer':
    case 'float':
      return parseNumber(option, text.trim());
    case 'boolean':
      return parseBoolean(text.trim().toLowerCase());
    case 'list':
      return { value: parseList(text) };
    case 'multi':
      return { value: texts };
  }
}

function parseString(option: StringOption, text: string): ParsedValue {
  if (text === '' && option.default === undefined) return { value: undefined };
  const { choices, pattern } = option;
  if (choices !== undefined) {
    const same = (choice: string): boolean =>
      option.anyCase === true ? choice.toLowerCase() === text.toLowerCase() : choice === text;
    const value = choices.find(same);
    return value === undefined ? { expected: `one of ${choices.join(', ')}` } : { value };
  }
  if (pattern !== undefined && !pattern.matches.test(text)) return { expected: pattern.expected };
  return { value: text };
}

function parseNumber(option: NumberOption, text: string): ParsedValue {
  if (text === '') {
    const value = option.default;
    return value === undefined ? { value } : { value, note: `is empty, so the default ${value} holds` };
  }
  const value = Number(text.replaceAll('_', ''));
  const spelled = option.type === 'integer' ? INTEGER.test(text) && Number.isSafeInteger(value) : FLOAT.test(text);
  const { min = Number.NEGATIVE_INFINITY, max = Number.POSITIVE_INFINITY } = option;
  if (spelled && Number.isFinite(value) && value >= min && value <= max) return { value: value === 0 ? 0 : value };
  return { expected: expectedNumber(option) };
}

function expectedNumber({ type, min, max }: NumberOption): string {
  const kind = type === 'integer' ? 'an integer' : 'a number';
  if (min !== undefined && max !== undefined) return `${kind} from ${min} to ${max}`;
  if (min !== undefined) return `${kind} of ${min} or more`;
  return max === undefined ? kind : `${kind} of ${max} or less`;
}

function parseBoolean(text: string): ParsedValue {
  if (TRUE.includes(text)) return { value: true };
  return FALSE.includes(text) ? { value: false } : { expected: 'true or false' };
}

function parseList(text: string): readonly string[] {
  const trimmed = text.trim().replace(/,+$/, '');
  return trimmed === '' ? [] : trimmed.split(',').map((item) => item.trim());
}
