#!/usr/bin/env node
/** `ceilometer-upgrade`: creates the types of resources in Gnocchi that the publisher needs. */
import { setTimeout as sleep } from 'node:timers/promises';
import { createHost } from '../agent/host.ts';
import { describeError } from '../errors.ts';
import { openGnocchi } from '../gnocchi/api.ts';
import { upgradeResourceTypes } from '../gnocchi/upgrade.ts';
import type { Log } from '../log.ts';
import { ConnectionError } from '../openstack/errors.ts';
import type { Host } from '../plugin.ts';
import { command, exitCodes, openLog, readConfig, runMain, UsageError, withConfig } from './common.ts';

const NAME = 'ceilometer-upgrade';
/** Milliseconds that a request has: Gnocchi changes its tables meanwhile. */
const TIMEOUT = 60_000;
const PAUSE = 2000;

async function main(argv: readonly string[]): Promise<number> {
  const args = await withConfig(command(NAME, argv))
    .usage('$0 [options]\n\nCreates what the publisher gnocchi needs; it may be run again at any time.')
    .option('skip-gnocchi-resource-types', { type: 'boolean', default: false, describe: 'Do not ask Gnocchi' })
    .option('retry', { type: 'number', requiresArg: true, describe: 'Attempts at reaching Gnocchi [default: no end]' })
    .parseAsync();
  if ('help' in args || 'version' in args) return exitCodes.ok;
  const { retry } = args;
  if (retry !== undefined && !(Number.isInteger(retry) && retry >= 0)) {
    throw new UsageError(`--retry: expected an integer from 0 on, got ${retry}`);
  }
  const loaded = readConfig(args);
  const log = openLog(NAME, loaded);
  if (args.skipGnocchiResourceTypes) {
    log.info('the resource types of Gnocchi are skipped');
    return exitCodes.ok;
  }
  const host = createHost(loaded.config, log);
  try {
    await upgrade(host, log, Math.max(1, retry ?? Number.POSITIVE_INFINITY));
  } finally {
    await host.close();
  }
  return exitCodes.ok;
}

/** Waits for a Gnocchi that is not there yet; any other failure is final. */
async function upgrade(host: Host, log: Log, attempts: number): Promise<void> {
  const ended = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => process.exit(exitCodes.cannotStart));
  const api = openGnocchi(host, { timeout: TIMEOUT });
  try {
    for (let attempt = 1; ; attempt += 1) {
      try {
        const { created, extended } = await upgradeResourceTypes(api, log, ended.signal);
        log.info({ created, extended }, 'the resource types of Gnocchi are as they should be');
        return;
      } catch (error) {
        if (!(error instanceof ConnectionError) || attempt >= attempts) throw error;
        log.warn({ attempt, reason: describeError(error) }, 'Gnocchi does not answer, trying again');
        await sleep(PAUSE);
      }
    }
  } finally {
    await api.close();
  }
}

await runMain(NAME, () => main(process.argv.slice(2)));
