import type { Config } from '../config/options.ts';
import { amqpOptions, createAmqpOutput } from '../output/amqp.ts';
import { createJsonlOutput } from '../output/jsonl.ts';
import { createNoneOutput } from '../output/none.ts';
import type { Output } from '../output/output.ts';
import { createTableOutput } from '../output/table.ts';
import type { Logger } from '../plugin.ts';
import { createLeases, type Lease } from '../util/leases.ts';

export const outputKinds = ['amqp', 'table', 'jsonl', 'none'] as const;
export type OutputKind = (typeof outputKinds)[number];

export type OpenOutput = (config: Config) => Lease<Output>;

/** Opens outputs for one configuration after another; where nothing about the output has changed, they share it. */
export function outputOpener(kind: OutputKind, log: Logger): OpenOutput {
  const lease = createLeases<Output>((output) => output.close());
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
    return lease(key, () => openOutput(kind, config, log));
  };
}

function openOutput(kind: OutputKind, config: Config, log: Logger): Output {
  const secret = config.publisher.telemetrySecret;
  // Nobody reads on, as after `| head`: that ends the run like a signal.
  const onGone = () => process.emit('SIGTERM');
  switch (kind) {
    case 'table':
      return createTableOutput({ stream: process.stdout, onGone });
    case 'jsonl':
      return createJsonlOutput({ stream: process.stdout, secret, onGone });
    case 'none':
      return createNoneOutput();
    case 'amqp': {
      const options = amqpOptions(config);
      return options === undefined ? createNoneOutput() : createAmqpOutput(options, log);
    }
  }
}
