/** How samples get from the pollsters to the collector of `ceilometer up`. */
import type { Collector } from '../collector/collector.ts';
import { collectorPlan } from '../collector/listen.ts';
import { createCollectorOutput } from '../collector/output.ts';
import type { LoadedConfig } from '../config/load.ts';
import { ConfigError } from '../errors.ts';
import { NotificationListener } from '../messaging/listener.ts';
import { amqpOptions, createAmqpOutput } from '../output/amqp.ts';
import type { Output } from '../output/output.ts';
import type { Logger } from '../plugin.ts';

export interface Transport {
  /** Where the pollsters put their samples. */
  readonly output: Output;
  /** For people: which way they take. */
  readonly way: string;
  /** Finishes what has arrived, until `kill` aborts. */
  close(kill: AbortSignal): Promise<void>;
}

/** In this process; over the broker of the configuration where there is one. */
export function openTransport(broker: LoadedConfig | undefined, collector: Collector, log: Logger): Transport {
  if (broker === undefined) {
    return {
      output: createCollectorOutput(collector, { agent: 'ceilometer.polling' }),
      way: 'straight',
      close: async () => {},
    };
  }
  const { config } = broker;
  const options = amqpOptions(config);
  if (options === undefined)
    throw new ConfigError(
      '[polling] enable_notifications and [publisher_notifier] telemetry_driver say that nothing is to be sent',
    );
  const plan = collectorPlan(config, 'ceilometer-collector');
  const listener = new NotificationListener(plan.options, collector.handle, log);
  return {
    output: createAmqpOutput(options, log),
    way: 'over the broker',
    async close(kill) {
      await listener.stop();
      await listener.drained(kill);
      await listener.close();
    },
  };
}
