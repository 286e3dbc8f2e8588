import type { Logger } from '../../src/plugin.ts';

interface LogLine {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly message: string;
  readonly fields: object;
}

/** A log that can be looked at. */
export interface RecordingLog extends Logger {
  readonly lines: readonly LogLine[];
  /** `level message` of all lines above debug, in order. */
  readonly told: readonly string[];
  /** The fields of the lines with this message. */
  fields(message: string): readonly object[];
}

export function recordingLog(): RecordingLog {
  const lines: LogLine[] = [];
  const at = (level: LogLine['level']) => (fields: object, message: string) => {
    lines.push({ level, message, fields });
  };
  return {
    lines,
    get told() {
      return lines.filter(({ level }) => level !== 'debug').map(({ level, message }) => `${level} ${message}`);
    },
    fields: (message) => lines.filter((line) => line.message === message).map(({ fields }) => fields),
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
  };
}
