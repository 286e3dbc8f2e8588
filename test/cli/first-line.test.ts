import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { shebangArguments } from '../helpers/agent-process.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const scripts: { readonly start: string } = JSON.parse(readFileSync(`${root}package.json`, 'utf8')).scripts;
const programs = ['polling', 'ceilometer', 'notification'].map((name) => `${root}dist/cli/${name}.js`);

describe('the first line of a program', () => {
  it.each(programs)('starts it as the kernel reads it: %s', (program) => {
    const [line = ''] = readFileSync(program, 'utf8').split('\n', 1);
    const [, interpreter = '', argument = ''] = /^#!(\S+) (.*)$/.exec(line) ?? [];

    const { status, stdout, stderr } = spawnSync(interpreter, [argument, program, '--version'], { encoding: 'utf8' });

    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  it('says the same of memory as npm start does', () => {
    const [first] = programs.map((program) => shebangArguments(program).join(' '));

    expect(first).toMatch(/^--max-semi-space-size=\d+$/);
    for (const program of programs) expect(shebangArguments(program).join(' ')).toBe(first);
    expect(scripts.start).toContain(`node ${first} `);
  });
});
