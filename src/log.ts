import { destination, type Logger, pino, stdSerializers } from 'pino';
import { describeError } from './errors.ts';

export interface LogSettings {
  readonly level: 'debug' | 'info' | 'warn';
  /** Standard error when there is none. */
  readonly file: string | undefined;
  /** Standard error as well as the file. */
  readonly stderr: boolean;
  /** One JSON object a line instead of text. */
  readonly json: boolean;
}

export interface Log extends Logger {
  /** Opens the log file anew, after a rotation has moved it away. */
  reopen(): void;
}

/** The agent's log. Lines are written synchronously: few are, and the last ones before an end matter most. */
export function createLog(settings: LogSettings): Log {
  const file =
    settings.file === undefined
      ? undefined
      : destination({ dest: settings.file, sync: true, mkdir: true, append: true });
  const stderr = file === undefined || settings.stderr ? destination({ fd: 2, sync: true }) : undefined;
  const format = settings.json ? (line: string) => line : textLine;
  const log = pino(
    {
      level: settings.level,
      base: { pid: process.pid },
      serializers: { err: stdSerializers.err },
    },
    {
      write(line: string) {
        const text = format(line);
        file?.write(text);
        stderr?.write(text);
      },
    },
  );
  return Object.assign(log, {
    reopen() {
      file?.reopen();
    },
  });
}

const LEVELS: Readonly<Record<number, string>> = {
  20: 'DEBUG',
  30: 'INFO',
  40: 'WARNING',
  50: 'ERROR',
  60: 'CRITICAL',
};

/** `2026-11-22 22:31:05.120 4711 WARNING polling failed: pollster=cpu reason="…"`, the order of oslo's log lines. */
function textLine(json: string): string {
  const { time, level, pid, msg, err, ...fields } = JSON.parse(json) as Record<string, unknown>;
  const date = new Date(Number(time)).toISOString().replace('T', ' ').slice(0, 23);
  const parts = Object.entries(fields).map(([key, value]) => `${key}=${plain(value)}`);
  const { stack, line } = errorOf(err);
  if (line !== undefined) parts.push(`err=${JSON.stringify(line)}`);
  const data = parts.length === 0 ? '' : `: ${parts.join(' ')}`;
  return `${date} ${pid} ${LEVELS[Number(level)] ?? 'INFO'} ${msg ?? ''}${data}\n${stack ?? ''}`;
}

function plain(value: unknown): string {
  if (typeof value === 'string') return /^[\w./:@%+*~-]+$/.test(value) ? value : JSON.stringify(value);
  return JSON.stringify(value);
}

/** A stack is for errors that nobody expected: those without a code of ours. */
function errorOf(err: unknown): { line?: string; stack?: string } {
  if (typeof err !== 'object' || err === null) return err === undefined ? {} : { line: String(err) };
  const { message, stack, code } = err as { message?: unknown; stack?: unknown; code?: unknown };
  const line = typeof message === 'string' ? message : describeError(err);
  const expected = typeof code === 'string' && code.startsWith('ERR_');
  return expected || typeof stack !== 'string' ? { line } : { line, stack: `${stack.replace(/^/gm, '    ')}\n` };
}
