import type { Config } from '../config/options.ts';
import { amqpOptions, createAmqpOutput } from '../output/amqp.ts';
import { createJsonlOutput } from '../output/jsonl.ts';
import { createNoneOutput } from '../output/none.ts';
import type { Output } from '../output/output.ts';
import { createTableOutput } from '../output/table.ts';
import type { Logger } from '../plugin.ts';

export const outputKinds = ['amqp', 'table', 'jsonl', 'none'] as const;
export type OutputKind = (typeof outputKinds)[number];

/** The use of an output by one generation of the configuration. */
export interface OutputLease {
  readonly output: Output;
  /** Closes the output when nobody else uses it. */
  release(): Promise<void>;
}

export type OpenOutput = (config: Config) => OutputLease;

/** Opens outputs for one configuration after another; where nothing about the output has changed, they share it. */
export function outputOpener(kind: OutputKind, log: Logger): OpenOutput {
  const opened = new Map<string, { readonly output: Output; users: number }>();
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
    const entry = opened.get(key) ?? { output: openOutput(kind, config, log), users: 0 };
    opened.set(key, entry);
    entry.users += 1;
    return {
      output: entry.output,
      async release() {
        entry.users -= 1;
        if (entry.users > 0) return;
        opened.delete(key);
        await entry.output.close();
      },
    };
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
