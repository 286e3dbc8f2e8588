import { spawn } from 'node:child_process';
import { describeError, ServiceError } from '../../errors.ts';
import { scope } from '../../util/scope.ts';

export interface CommandOptions {
  /** For messages. */
  readonly what: string;
  /** Milliseconds. */
  readonly timeout: number;
  readonly signal: AbortSignal;
}

const MOST_BYTES = 16 * 1024 * 1024;

/**
 * What a command prints, without the line end at its end. Its exit status does not matter once it has printed
 * something. Whatever it started is killed with it at the deadline.
 */
export async function runCommand(argv: readonly string[], options: CommandOptions): Promise<string> {
  const { what, timeout, signal } = options;
  const [program, ...args] = argv;
  if (program === undefined) throw new ServiceError(`${what}: the command is empty`);
  using limit = scope(signal, timeout, `${what}: the command ${program}`);
  limit.signal.throwIfAborted();
  return await new Promise<string>((resolve, reject) => {
    // A group of its own, so that all of it can be killed.
    const child = spawn(program, args, { detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
    const printed: Buffer[] = [];
    const complaints: Buffer[] = [];
    let size = 0;
    const kill = () => {
      try {
        if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
      } catch {
        // It has ended meanwhile.
      }
    };
    const give = (error: unknown) => {
      kill();
      reject(error);
    };
    const abandon = () => give(limit.signal.reason);
    const collect = (into: Buffer[]) => (chunk: Buffer) => {
      size += chunk.length;
      if (size > MOST_BYTES) give(new ServiceError(`${what}: the command prints more than ${MOST_BYTES} bytes`));
      else into.push(chunk);
    };
    limit.signal.addEventListener('abort', abandon, { once: true });
    child.stdout.on('data', collect(printed));
    child.stderr.on('data', collect(complaints));
    child.once('error', (cause) => reject(new ServiceError(`${what}: ${program} cannot be run`, { cause })));
    child.once('close', (status, killed) => {
      limit.signal.removeEventListener('abort', abandon);
      const text = Buffer.concat(printed).toString('utf8').replace(/\n$/, '');
      if (killed !== null) reject(new ServiceError(`${what}: the command ended on ${killed}`));
      else if (status !== 0 && text === '') {
        const said = describeError(Buffer.concat(complaints).toString('utf8').trim()).slice(0, 200);
        reject(new ServiceError(`${what}: the command ended with ${status}${said === '' ? '' : `: ${said}`}`));
      } else resolve(text);
    });
  });
}
