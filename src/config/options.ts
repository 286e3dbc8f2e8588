/**
 * The option table: every option of `ceilometer.conf`, by group, under its name in the file. Parsing, defaults, types,
 * deprecations, the documentation and the sample file come from here.
 */
import type { OptionGroup, Resolved } from './option.ts';
import { agentOptions } from './options/agent.ts';
import { collectorOptions, databaseOptions } from './options/collector.ts';
import { cacheOptions, concurrencyOptions, privsepOptions, reportsOptions } from './options/libraries.ts';
import { loggingOptions } from './options/logging.ts';
import { metricsOptions, notificationsOptions, rabbitOptions, transportOptions } from './options/messaging.ts';
import { eventOptions, meterOptions, notificationOptions } from './options/notification.ts';
import {
  computeOptions,
  coordinationOptions,
  ipmiOptions,
  pollingOptions,
  publisherNotifierOptions,
  publisherOptions,
} from './options/polling.ts';
import {
  credentialsOptions,
  gnocchiOptions,
  rgwAdminCredentialsOptions,
  rgwClientOptions,
  serviceTypesOptions,
} from './options/services.ts';

export const options = {
  DEFAULT: { ...agentOptions, ...transportOptions, ...loggingOptions },
  polling: pollingOptions,
  compute: computeOptions,
  publisher: publisherOptions,
  publisher_notifier: publisherNotifierOptions,
  coordination: coordinationOptions,
  oslo_messaging_notifications: notificationsOptions,
  oslo_messaging_rabbit: rabbitOptions,
  notification: notificationOptions,
  event: eventOptions,
  meter: meterOptions,
  database: databaseOptions,
  collector: collectorOptions,
  ipmi: ipmiOptions,
  service_credentials: credentialsOptions,
  service_types: serviceTypesOptions,
  gnocchi: gnocchiOptions,
  rgw_admin_credentials: rgwAdminCredentialsOptions,
  rgw_client: rgwClientOptions,
  cache: cacheOptions,
  oslo_concurrency: concurrencyOptions,
  oslo_messaging_metrics: metricsOptions,
  oslo_reports: reportsOptions,
  ceilometer_sys_admin: privsepOptions,
} as const satisfies Readonly<Record<string, OptionGroup>>;

/**
 * The values of all options that have an effect, frozen: `config.polling.batchSize` is `[polling] batch_size`.
 * A program reads its configuration once and passes it down; a reload makes a new one.
 */
export type Config = Resolved<typeof options> & {
  /** What a group says, as written, in the order of the files: for groups that belong to plugins. */
  section(name: string): Readonly<Record<string, readonly string[]>>;
  /** Where an option stands, for what is found wrong with its value later: `/etc/c.conf:3: [DEFAULT] transport_url`. */
  place(group: string, name: string): string;
  /** Where files that options and URLs name are looked for, beside the working directory. */
  readonly searchPath: readonly string[];
};
