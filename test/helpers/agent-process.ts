import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { PATIENCE } from './patience.ts';

const commands: Readonly<Record<string, string>> = {
  polling: fileURLToPath(new URL('../../dist/cli/polling.js', import.meta.url)),
  ceilometer: fileURLToPath(new URL('../../dist/cli/ceilometer.js', import.meta.url)),
  collector: fileURLToPath(new URL('../../dist/cli/collector.js', import.meta.url)),
  notification: fileURLToPath(new URL('../../dist/cli/notification.js', import.meta.url)),
  upgrade: fileURLToPath(new URL('../../dist/cli/upgrade.js', import.meta.url)),
};

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
  /** Milliseconds from the start to the end. */
  readonly lasted: number;
}

export interface Shebang {
  readonly env: Readonly<Record<string, string>>;
  /** For Node. */
  readonly args: readonly string[];
}

/** What the first line of a program, `#!/usr/bin/env -S NAME=value node …`, has Node started with. */
export function shebangOf(program: string): Shebang {
  const [line = ''] = readFileSync(program, 'utf8').split('\n', 1);
  const [, before = '', after = ''] = /^#!(.*) node\b(.*)$/.exec(line) ?? [];
  return {
    env: Object.fromEntries(Array.from(before.matchAll(/(\w+)=(\S+)/g), ([, name = '', value = '']) => [name, value])),
    args: after.split(' ').filter((word) => word !== ''),
  };
}

/** A command of the built package, as its user runs it. */
export class AgentProcess {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  stdout = '';
  stderr = '';
  /** It has ended, and all that it wrote is here. */
  #over = false;

  /** `command` is one of the built commands, or the path of another. */
  constructor(command: string, args: readonly string[], env: NodeJS.ProcessEnv = {}, node: readonly string[] = []) {
    const started = performance.now();
    const program = commands[command] ?? command;
    const shebang = shebangOf(program);
    const child = spawn(process.execPath, [...shebang.args, ...node, program, ...args], {
      env: { PATH: process.env['PATH'], HOME: '/nonexistent', ...shebang.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.child = child;
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text;
    });
    this.ended = new Promise((resolve) => {
      child.on('close', (code, signal) => {
        this.#over = true;
        resolve({ code, signal, stdout: this.stdout, stderr: this.stderr, lasted: performance.now() - started });
      });
    });
  }

  kill(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  /** Resolves when the pattern shows in the output, or rejects with what was shown instead. */
  async shows(pattern: RegExp): Promise<RegExpMatchArray> {
    const until = Date.now() + PATIENCE;
    for (;;) {
      const found = `${this.stdout}\n${this.stderr}`.match(pattern);
      if (found !== null) return found;
      if (Date.now() > until || this.#over) {
        throw new Error(`${pattern} did not show in\n${this.stdout}\n${this.stderr}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

/** Runs a command to its end. */
export function run(command: string, args: readonly string[], env?: NodeJS.ProcessEnv): Promise<Ended> {
  return new AgentProcess(command, args, env).ended;
}
