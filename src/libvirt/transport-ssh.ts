import { spawn } from 'node:child_process';
import { Duplex } from 'node:stream';
import type { Transport } from './uri-parts.ts';

const STDERR_KEPT = 2_000;

/**
 * A stream through the standard input and output of an ssh client, without a shell on this side. It ends with what
 * ssh said on its standard error; destroying it ends ssh.
 */
export function connectSsh({ command, args }: Transport & { kind: 'ssh' }): Duplex {
  const child = spawn(command, args, { stdio: 'pipe' });
  const { stdin, stdout, stderr } = child;
  const stream = new Duplex({
    read: () => void stdout.resume(),
    write: (chunk: Buffer, _encoding, done) => void stdin.write(chunk, done),
    final: (done) => void stdin.end(done),
    destroy: (error, done) => {
      child.kill();
      done(error);
    },
  });
  let said = '';
  stderr.on('data', (chunk: Buffer) => {
    said = (said + chunk.toString('utf8')).slice(-STDERR_KEPT);
  });
  stdout.on('data', (chunk: Buffer) => {
    if (!stream.push(chunk)) stdout.pause();
  });
  // A broken pipe shows as the end of the process, which knows more.
  stdin.on('error', () => undefined);
  child.on('error', (error) => stream.destroy(new Error(`cannot run ${command}`, { cause: error })));
  child.on('close', (code, signal) => {
    const reason = said.trim().split('\n').at(-1) ?? '';
    stream.destroy(new Error(`${command} ended with ${signal ?? `code ${code}`}${reason === '' ? '' : `: ${reason}`}`));
  });
  return stream;
}
