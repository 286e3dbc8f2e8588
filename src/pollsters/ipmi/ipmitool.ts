/** Asks the management controller of this machine, through the program ipmitool. */
import { execFile } from 'node:child_process';
import { access, constants } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { NoDataError, ServiceError } from '../../errors.ts';
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

async function run(args: readonly string[], signal: AbortSignal): Promise<string> {
  signal.throwIfAborted();
  const program = await find('ipmitool');
  const env = { ...process.env, LC_ALL: 'C' };
  const options = { env, signal, timeout: TIMEOUT, maxBuffer: MAX_BYTES, killSignal: 'SIGKILL' } as const;
  return new Promise((resolve, reject) => {
    const child = execFile(program, [...args], options, (error, stdout, stderr) => {
      if (error === null) resolve(stdout);
      else reject(signal.aborted ? signal.reason : explain(error, stdout, stderr));
    });
    child.stdin?.end();
  });
}

async function find(program: string): Promise<string> {
  for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
    const path = join(folder, program);
    try {
      await access(path, constants.X_OK);
      return path;
    } catch {
      // It may be in the next one.
    }
  }
  throw new ServiceError(`${program} is not installed`);
}

function explain(error: Error, stdout: string, stderr: string): Error {
  const [said = ''] = stderr.trim().split('\n');
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
