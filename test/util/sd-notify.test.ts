import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Logger } from '../../src/plugin.ts';
import { createSystemdNotify } from '../../src/util/sd-notify.ts';

function recordingLog() {
  const warnings: object[] = [];
  const nothing = () => {};
  const log: Logger = { debug: nothing, info: nothing, error: nothing, warn: (fields) => warnings.push(fields) };
  return { log, warnings };
}

function recordingSend() {
  const sent: string[] = [];
  return { sent, send: async (assignments: readonly string[]) => void sent.push(assignments.join(' ')) };
}

const env = { NOTIFY_SOCKET: '/run/systemd/notify' };

async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'sd-notify-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  return folder;
}

describe('telling systemd', () => {
  it('is left out where systemd did not ask', async () => {
    const { sent, send } = recordingSend();
    const { log, warnings } = recordingLog();
    const notify = createSystemdNotify({ log, env: {}, send });

    notify.ready('up');
    notify.status('polling');
    notify.reloading();
    notify.stopping();
    await notify.close();

    expect(sent).toEqual([]);
    expect(warnings).toEqual([]);
  });

  it('goes in the order of what happened, a status on one line', async () => {
    const { sent, send } = recordingSend();
    const delays = [30, 0, 0, 0];
    const slowAtFirst = async (assignments: readonly string[]) => {
      await setTimeout(delays.shift());
      await send(assignments);
    };
    const notify = createSystemdNotify({ log: recordingLog().log, env, send: slowAtFirst });

    notify.ready('polling with 31 pollsters');
    notify.status('two\nlines');
    notify.reloading();
    notify.stopping();
    await notify.close();

    expect(sent).toEqual([
      'READY=1 STATUS=polling with 31 pollsters',
      'STATUS=two lines',
      expect.stringMatching(/^RELOADING=1 MONOTONIC_USEC=\d+$/),
      'STOPPING=1',
    ]);
  });

  it('never fails, and warns once for as long as it does not work', async () => {
    const { log, warnings } = recordingLog();
    const outcomes = ['broken', 'broken', undefined, 'broken'];
    const send = async () => {
      const reason = outcomes.shift();
      if (reason !== undefined) throw new Error(reason);
    };
    const notify = createSystemdNotify({ log, env, send });

    for (let count = 0; count < 4; count += 1) notify.status('polling');
    await notify.close();

    expect(warnings).toEqual([{ reason: 'broken' }, { reason: 'broken' }]);
  });

  it('does not pile up signs of life when systemd is slow', async () => {
    const { sent, send } = recordingSend();
    const notify = createSystemdNotify({ log: recordingLog().log, env, send });

    for (let count = 0; count < 100; count += 1) notify.status(`cycle ${count}`);
    notify.stopping();
    await notify.close();

    expect(sent).toHaveLength(9);
    expect(sent.at(-1)).toBe('STOPPING=1');
  });
});

describe('the watchdog', () => {
  async function signsOfLife(watchdog: NodeJS.ProcessEnv, isReady: boolean): Promise<readonly string[]> {
    const { sent, send } = recordingSend();
    const notify = createSystemdNotify({ log: recordingLog().log, env: { ...env, ...watchdog }, send });
    if (isReady) notify.ready('up');
    await setTimeout(100);
    await notify.close();
    return sent.filter((message) => message === 'WATCHDOG=1');
  }

  it('is told that the process lives, from when it is ready', async () => {
    const signs = await signsOfLife({ WATCHDOG_USEC: '20000', WATCHDOG_PID: String(process.pid) }, true);

    expect(signs.length).toBeGreaterThan(0);
  });

  it.each([
    { of: 'another process', watchdog: { WATCHDOG_USEC: '20000', WATCHDOG_PID: '1' }, isReady: true },
    { of: 'nobody', watchdog: {}, isReady: true },
    { of: 'a process that is not ready', watchdog: { WATCHDOG_USEC: '20000' }, isReady: false },
  ])('of $of is told nothing', async ({ watchdog, isReady }) => {
    expect(await signsOfLife(watchdog, isReady)).toEqual([]);
  });
});

describe('systemd-notify', () => {
  it('carries the message with the socket and without the rest of the environment', async () => {
    const folder = await temporaryFolder();
    const tool = join(folder, 'systemd-notify');
    await writeFile(tool, '#!/bin/sh\nprintf "%s|" "$NOTIFY_SOCKET" "$SECRET" "$@" >> "$(dirname "$0")/calls"\n');
    await chmod(tool, 0o755);
    const PATH = [folder, process.env['PATH']].join(delimiter);
    const { log, warnings } = recordingLog();
    const notify = createSystemdNotify({ log, env: { ...env, PATH, SECRET: 'secret' } });

    notify.ready('a "quoted" $(status)');
    await notify.close();

    expect(await readFile(join(folder, 'calls'), 'utf8')).toBe(
      '/run/systemd/notify||--|READY=1|STATUS=a "quoted" $(status)|',
    );
    expect(warnings).toEqual([]);
  });

  it('that is not installed costs one warning', async () => {
    const { log, warnings } = recordingLog();
    const notify = createSystemdNotify({ log, env: { ...env, PATH: await temporaryFolder() } });

    notify.ready('up');
    notify.stopping();
    await notify.close();

    expect(warnings).toEqual([{ reason: 'there is no systemd-notify on the PATH' }]);
  });
});
