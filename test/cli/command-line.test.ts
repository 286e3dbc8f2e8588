import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import yargs from 'yargs';
import { readCommandLine, readPlainly } from '../../src/cli/command-line.ts';

const options = {
  'config-file': { type: 'string', array: true, requiresArg: true, describe: 'files' },
  'log-file': { type: 'string', requiresArg: true, describe: 'a file' },
  once: { type: 'boolean', default: false, describe: 'once' },
  debug: { type: 'boolean', describe: 'more' },
  output: { type: 'string', choices: ['amqp', 'table'], default: 'amqp', describe: 'where to' },
} as const;
const line = { name: 'agent', purpose: 'Does it.', options };

/** What yargs makes of it; undefined where it refuses. */
function byYargs(argv: readonly string[]) {
  let refused = false;
  const args = yargs([...argv])
    .exitProcess(false)
    .help(false)
    .version(false)
    .strict()
    .fail(() => {
      refused = true;
    })
    .options(options)
    .parseSync();
  const { configFile, logFile, once, debug, output } = args;
  return refused ? undefined : { configFile, logFile, once, debug, output };
}

describe('readCommandLine', () => {
  it.each<[string, readonly string[], object]>([
    ['nothing', [], { once: false, output: 'amqp' }],
    ['lists, repeated and in a row', ['--config-file', 'a', 'b', '--config-file=c'], { configFile: ['a', 'b', 'c'] }],
    ['numbers as texts', ['--config-file', '1', '--log-file', '0x10'], { configFile: ['1'], logFile: '0x10' }],
    ['switches both ways', ['--once', '--no-debug'], { once: true, debug: false }],
    ['names in camel case', ['--configFile', 'a'], { configFile: ['a'] }],
    ['a choice', ['--output', 'table'], { output: 'table' }],
  ])('reads %s', async (_, argv, expected) => {
    expect(await readCommandLine(line, argv)).toMatchObject(expected);
  });

  it.each<[string, readonly string[], RegExp]>([
    ['an unknown option', ['--onec'], /Unknown argument: onec/],
    ['an argument that belongs to none', ['x'], /Unknown argument: x/],
    ['a list without a value', ['--config-file'], /Not enough arguments following: config-file/],
    ['a text without a value', ['--log-file'], /Not enough arguments following: log-file/],
    ['what is not one of the choices', ['--output', 'x'], /^--output: expected one of amqp, table, got "x"$/],
  ])('refuses %s', async (_, argv, message) => {
    await expect(readCommandLine(line, argv)).rejects.toThrow(message);
  });

  it('takes nothing for plain that yargs reads otherwise', () => {
    const words = ['--config-file', '--log-file', '--once', '--no-once', '--debug', '--output', '--log-file=x', '-d'];
    const word = fc.constantFrom(...words, '--once=false', '--output=table', '--', 'amqp', 'true', 'a.b', '', '7');

    void fc.assert(
      fc.property(fc.array(word, { maxLength: 6 }), (argv) => {
        const plain = readPlainly(options, argv);
        if (plain !== undefined) expect(plain).toEqual(byYargs(argv));
      }),
      { numRuns: 300 },
    );
  });

  it('reads without yargs what is right', () => {
    expect(readPlainly(options, ['--config-file', 'a', '--once', '--output', 'table'])).toBeDefined();
  });
});
