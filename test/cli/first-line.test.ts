import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { shebangOf } from '../helpers/agent-process.ts';

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

  it.each(programs)('keeps its memory small: %s', (program) => {
    expect(shebangOf(program)).toEqual({
      env: { MALLOC_MMAP_THRESHOLD_: expect.stringMatching(/^\d+$/) },
      args: [expect.stringMatching(/^--max-semi-space-size=\d+$/)],
    });
  });

  it('says the same as npm start', () => {
    const { env, args } = shebangOf(`${root}dist/cli/ceilometer.js`);

    const words = Object.entries(env).map(([name, value]) => `${name}=${value}`);
    expect(scripts.start).toContain([...words, 'node', ...args, ''].join(' '));
  });
});
