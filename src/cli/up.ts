/** `ceilometer up`: this machine at a glance, without any configuration. */
import { createGeneration } from '../agent/generation.ts';
import { runService } from '../agent/service.ts';
import { StateStore } from '../agent/state-store.ts';
import { loadConfig } from '../config/load.ts';
import { libvirtAnswers, libvirtUri } from '../libvirt/index.ts';
import { createLog } from '../log.ts';
import { createSystemdNotify } from '../util/sd-notify.ts';
import { outputOpener } from './open-output.ts';
import { exitCodes } from './program.ts';

export interface UpOptions {
  /** Seconds. */
  readonly interval: number;
  readonly debug: boolean;
}

/** Milliseconds that a libvirt on this machine has to answer. */
const PATIENCE = 1000;

export async function up({ interval, debug }: UpOptions): Promise<number> {
  const loaded = loadConfig({ files: [], dirs: [], env: process.env });
  const log = createLog({ level: debug ? 'debug' : 'warn', file: undefined, stderr: true, json: false });
  const uri = libvirtUri(loaded.config);
  const compute = await libvirtAnswers(uri, PATIENCE);
  console.log(
    `Polling ${loaded.config.default.host} every ${interval} s: ` +
      (compute
        ? `the host, and the virtual machines of ${uri}.`
        : `the host alone, for no libvirt answers at ${uri}.`) +
      ' Ctrl-C ends it.',
  );
  const source = { name: 'up', interval, meters: ['*'], resources: [], discovery: [], line: 0 };
  const openOutput = await outputOpener('table', log);
  const states = new StateStore({ log });
  const generation = () =>
    createGeneration({
      loaded,
      sources: [source],
      namespaces: compute ? ['host', 'compute'] : ['host'],
      pollsterList: undefined,
      openOutput,
      states,
      stateFolder: undefined,
      log,
    });
  const first = await generation();
  await runService({ first, reload: generation, log, notify: createSystemdNotify({ log }), interruptIsFinal: true });
  return exitCodes.ok;
}
