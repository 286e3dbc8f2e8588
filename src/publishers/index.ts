/** The publishers that come with the agent, by URL scheme; each is loaded where a pipeline names it. */
import { definePlugin, type PublisherFactory } from '../plugin.ts';

/** Those that ask their host for an OpenStack session. */
export const sessionPublishers: Readonly<Record<string, PublisherFactory>> = {
  gnocchi: async (url, host) => (await import('./gnocchi.ts')).gnocchiPublisher(url, host),
  zaqar: async (url, host) => (await import('./zaqar.ts')).zaqarPublisher(url, host),
};

export default definePlugin({
  api: 1,
  name: 'publishers',
  publishers: {
    ...sessionPublishers,
    file: async (url) => (await import('./file.ts')).filePublisher(url),
    http: async (url, host) => (await import('./http.ts')).httpPublisher(url, host),
    https: async (url, host) => (await import('./http.ts')).httpPublisher(url, host),
    opentelemetryhttp: async (url, host) => (await import('./opentelemetry.ts')).openTelemetryPublisher(url, host),
    prometheus: async (url, host) => (await import('./prometheus.ts')).prometheusPublisher(url, host),
    tcp: async (url, host) => (await import('./tcp.ts')).tcpPublisher(url, host),
    udp: async (url, host) => (await import('./udp.ts')).udpPublisher(url, host),
    notifier: async (url, host) => (await import('./notifier.ts')).notifierPublisher(url, host),
    test: async () => (await import('./test.ts')).testPublisher(),
  },
});
