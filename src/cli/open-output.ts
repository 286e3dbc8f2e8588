import type { Config } from '../config/options.ts';
import type { Output } from '../output/output.ts';
import type { Logger } from '../plugin.ts';
import { outputGone } from '../util/daemon.ts';
import { createLeases, type Lease } from '../util/leases.ts';

export const outputKinds = ['amqp', 'table', 'jsonl', 'none'] as const;
export type OutputKind = (typeof outputKinds)[number];

export type OpenOutput = (config: Config) => Lease<Output>;

/**
 * Opens outputs for one configuration after another; where nothing about the output has changed, they share it.
 * Resolves once the kind of output is loaded.
 */
export async function outputOpener(kind: OutputKind, log: Logger): Promise<OpenOutput> {
  const lease = createLeases<Output>((output) => output.close());
  const openOutput = await openers[kind](log);
  return (config) => {
    const key = JSON.stringify([
      config.default.transportUrl,
      config.default.controlExchange,
      config.osloMessagingNotifications,
      config.osloMessagingRabbit,
      config.polling,
      config.publisher,
      config.publisherNotifier,
    ]);
    return lease(key, () => openOutput(config));
  };
}

const openers: Readonly<Record<OutputKind, (log: Logger) => Promise<(config: Config) => Output>>> = {
  async table() {
    const { createTableOutput } = await import('../output/table.ts');
    return () => createTableOutput({ stream: process.stdout, onGone: outputGone });
  },
  async jsonl() {
    const { createJsonlOutput } = await import('../output/jsonl.ts');
    return ({ publisher }) =>
      createJsonlOutput({ stream: process.stdout, secret: publisher.telemetrySecret, onGone: outputGone });
  },
  async none() {
    const { createNoneOutput } = await import('../output/none.ts');
    return createNoneOutput;
  },
  async amqp(log) {
    const { amqpOptions, createAmqpOutput } = await import('../output/amqp.ts');
    const { createNoneOutput } = await import('../output/none.ts');
    return (config) => {
      const options = amqpOptions(config);
      return options === undefined ? createNoneOutput() : createAmqpOutput(options, log);
    };
  },
};
