import { mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ServiceError } from '../src/errors.ts';
import { createLog } from '../src/log.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'log-'));
});

afterEach(() => rmSync(folder, { recursive: true }));

function written(json: boolean, use: (log: ReturnType<typeof createLog>) => void): string {
  const file = join(folder, 'agent.log');
  use(createLog({ level: 'info', file, stderr: false, json }));
  return readFileSync(file, 'utf8');
}

describe('createLog', () => {
  it('writes one line of text with the message first and the data behind it', () => {
    const text = written(false, (log) =>
      log.warn({ pollster: 'cpu', reason: 'it is "away"', tries: 3 }, 'polling failed'),
    );

    expect(text).toMatch(
      /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} \d+ WARNING polling failed: pollster=cpu reason="it is \\"away\\"" tries=3\n$/,
    );
  });

  it('shows the stack of an error that nobody expected, and one line of one that was', () => {
    const expected = written(false, (log) => log.error({ err: new ServiceError('away') }, 'polling failed'));
    const unexpected = written(false, (log) => log.error({ err: new TypeError('x is undefined') }, 'polling failed'));

    expect(expected.split('\n')).toHaveLength(2);
    expect(unexpected).toContain('    TypeError: x is undefined\n        at ');
  });

  it('writes JSON when asked to', () => {
    const text = written(true, (log) => log.info({ samples: 5 }, 'done'));

    expect(JSON.parse(text)).toMatchObject({ level: 30, msg: 'done', samples: 5 });
  });

  it('leaves out debug lines unless asked for them', () => {
    expect(written(false, (log) => log.debug({}, 'detail'))).toBe('');
  });

  it('goes on in a new file when the old one was moved away', () => {
    const file = join(folder, 'agent.log');
    const log = createLog({ level: 'info', file, stderr: false, json: false });
    log.info({}, 'before');
    renameSync(file, `${file}.1`);

    log.reopen();
    log.info({}, 'after');

    expect(readFileSync(`${file}.1`, 'utf8')).toContain('before');
    expect(readFileSync(file, 'utf8')).toContain('after');
  });
});
