/** The endpoints and trait plugins that come with the agent, in upstream's order. */
import { definePlugin, type Factory, type NotificationEndpoint } from '../plugin.ts';
import { COMMON_SECRET } from '../wire/signature.ts';
import { httpEndpoint } from './http-request.ts';
import { instanceEndpoint } from './instance.ts';
import { ironicEndpoint } from './ironic-sensors.ts';
import { createSignatureCheck } from './signatures.ts';
import { telemetryEndpoint } from './telemetry.ts';
import { traitPlugins } from './trait-plugins.ts';

const http =
  (eventType: string): Factory<NotificationEndpoint> =>
  ({ config }) =>
    httpEndpoint(eventType, config.default.sampleSource);
const ironic =
  (kind: string): Factory<NotificationEndpoint> =>
  ({ config, log }) =>
    ironicEndpoint(kind, config.default.sampleSource, log);

// The endpoint of the meter definitions is not here, since it needs the trait plugins of all packages; see assembly.ts.
export default definePlugin({
  api: 1,
  name: 'notifications',
  endpoints: {
    'http.request': http('http.request'),
    'http.response': http('http.response'),
    'hardware.ipmi.temperature': ironic('Temperature'),
    'hardware.ipmi.voltage': ironic('Voltage'),
    'hardware.ipmi.current': ironic('Current'),
    'hardware.ipmi.fan': ironic('Fan'),
    telemetry: ({ config, log }) => {
      const secret = config.publisher.telemetrySecret;
      const policy = secret === COMMON_SECRET ? 'ignore' : config.notification.polledSignatures;
      return telemetryEndpoint(config.default.sampleSource, createSignatureCheck(policy, secret, log));
    },
    instance: ({ config }) => instanceEndpoint(config.default.sampleSource, config.default),
  },
  traits: traitPlugins,
});
