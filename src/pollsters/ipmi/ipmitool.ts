/** Asks the management controller of this machine, through the program ipmitool. */
import { execFile } from 'node:child_process';
import { codeOf, NoDataError, ServiceError } from '../../errors.ts';
import { createTurns } from '../../util/turns.ts';

/** What it prints. Rejects with `ERR_NO_DATA` where the machine has no such sensor, else with `ERR_SERVICE`. */
export type IpmiTool = (args: readonly string[], signal: AbortSignal) => Promise<string>;

const TIMEOUT = 60_000;
const MAX_BYTES = 4 * 1024 * 1024;
const NO_RIGHTS = /permission denied|not permitted/i;
const NO_DEVICE = /could not open device/i;
const NO_SENSOR = /not found/i;

/** Controllers are slow, and answer one at a time. */
export function createIpmiTool(): IpmiTool {
  const turns = createTurns();
  return (args, signal) => turns(() => run(args, signal));
}

function run(args: readonly string[], signal: AbortSignal): Promise<string> {
  signal.throwIfAborted();
  const env = { ...process.env, LC_ALL: 'C' };
  const options = { env, signal, timeout: TIMEOUT, maxBuffer: MAX_BYTES, killSignal: 'SIGKILL' } as const;
  return new Promise((resolve, reject) => {
    const child = execFile('ipmitool', [...args], options, (error, stdout, stderr) => {
      if (error === null) resolve(stdout);
      // What could not be started is let go of a turn later.
      else setImmediate(() => reject(signal.aborted ? signal.reason : explain(error, stdout, stderr)));
    });
    child.stdin?.end();
  });
}

function explain(error: Error, stdout: string, stderr: string): Error {
  const [said = ''] = stderr.trim().split('\n');
  if (codeOf(error) === 'ENOENT') return new ServiceError('ipmitool is not installed', { cause: error });
  if (NO_RIGHTS.test(stderr)) return new ServiceError(`ipmitool has no right to ask the controller: ${said}`);
  if (NO_DEVICE.test(stderr)) {
    return new ServiceError(`ipmitool finds no controller, or has no right to ask it: ${said}`);
  }
  if (NO_SENSOR.test(`${stdout}${stderr}`)) return new NoDataError('the machine has no such sensor');
  if ('killed' in error && error.killed === true) {
    return new ServiceError(`ipmitool did not answer within ${TIMEOUT / 1000} s`);
  }
  return new ServiceError(`ipmitool failed: ${said || error.message.split('\n')[0]}`);
}
