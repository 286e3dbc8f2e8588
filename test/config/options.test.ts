import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { findOption, knownOptions } from '../../src/config/known.ts';
import { camelCase } from '../../src/config/option.ts';
import { parseValue } from '../../src/config/value.ts';

describe('the option table', () => {
  const named = knownOptions.map((known) => [`[${known.group}] ${known.name}`, known.option] as const);

  it.each(named)('has for %s a default that it would take, and a sentence of help', (_, option) => {
    const { default: value } = option;
    const texts = typeof value === 'object' ? value : [String(value)];
    const written = option.type === 'list' ? [texts.join(',')] : texts;

    expect(option.help).toMatch(/^[A-Z].*\.$/s);
    if (value !== undefined) expect(parseValue(option, written)).toEqual({ value });
  });

  it('knows every option of upstream, so that its files give no warnings', () => {
    const file = new URL('../fixtures/config/upstream-options.txt', import.meta.url);
    const upstream = readFileSync(file, 'utf8')
      .split('\n')
      .filter((line) => /^\w/.test(line));

    const unknown = upstream.filter((spelling) => {
      const [group = '', name = ''] = spelling.split('.');
      return findOption(group, name) === undefined;
    });

    expect(upstream.length).toBeGreaterThan(200);
    expect(unknown).toEqual([]);
  });

  it('gives each name and each deprecated name to one option only', () => {
    const spellings = knownOptions.flatMap(({ group, name, option }) =>
      [[group, name], ...(option.alias ?? []), ...(option.deprecated ?? [])].map((spelling) => spelling.join('.')),
    );

    expect(spellings.filter((spelling, at) => spellings.indexOf(spelling) !== at)).toEqual([]);
  });

  it('keeps what grants access out of messages', () => {
    const telling = knownOptions.filter(({ name }) =>
      /password|secret$|secret_key|access_key|_url$|_urls$|token/.test(name),
    );
    const open = telling.filter(({ option }) => option.secret !== true).map(({ group, name }) => `[${group}] ${name}`);

    expect(open).toEqual(['[service_credentials] auth_url']);
  });

  it('turns names into the spelling of the code', () => {
    expect(camelCase('DEFAULT')).toBe('default');
    expect(camelCase('oslo_messaging_rabbit')).toBe('osloMessagingRabbit');
    expect(camelCase('rabbit_quorum_max_memory_bytes')).toBe('rabbitQuorumMaxMemoryBytes');
  });
});
