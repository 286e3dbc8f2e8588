/** The notification agent as its user runs it, with a real broker and files as publishers. */
import { statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'vitest';
import { AgentProcess } from '../test/helpers/agent-process.ts';
import { type Load, mixedLoad, pollingLoad, preload } from '../test/helpers/notification-load.ts';
import { describeWith } from '../test/helpers/services.ts';
import { nodeArguments } from './node-arguments.ts';
import { usePlace } from './place.ts';
import { cpuSeconds, residentMegabytes } from './process-cost.ts';
import { report } from './report.ts';

const MESSAGES = Number(process.env['CEILOMETER_BENCH_MESSAGES'] ?? 10_000);

/** CPU seconds per 1 000 messages of upstream's agent (master, file publisher): with its defaults, and at its best. */
const upstream = { polling: [18.5, 2.6], mixed: [1.95, 0.85] } as const;

interface Figures {
  readonly perSecond: number;
  /** From the first record on. */
  readonly cpuPerThousand: number;
  /** CPU seconds up to the first record. */
  readonly startCpu: number;
  readonly resident: number;
  readonly ready: number;
}

describeWith('rabbitmq', 'notification', () => {
  const place = usePlace();

  function configure(vhost: string, secret: string): string {
    const pipeline = (key: string, file: string) =>
      JSON.stringify({
        sources: [{ name: 'all', [key]: ['*'], sinks: ['file'] }],
        sinks: [{ name: 'file', publishers: [`file://${join(place.folder, file)}?json`] }],
      });
    writeFileSync(join(place.folder, 'pipeline.yaml'), pipeline('meters', `${vhost}-samples`));
    writeFileSync(join(place.folder, 'event_pipeline.yaml'), pipeline('events', `${vhost}-events`));
    const file = join(place.folder, `${vhost}.conf`);
    writeFileSync(
      file,
      `[DEFAULT]\ntransport_url = rabbit://guest:guest@127.0.0.1:${place.broker.port}/${vhost}\n${secret}`,
    );
    return file;
  }

  async function measure(load: Load, count: number, secret = ''): Promise<Figures> {
    const vhost = place.broker.vhost();
    const connection = await place.broker.connect(vhost);
    await preload(connection, load, count);
    const channel = await connection.createChannel();
    const agent = new AgentProcess('notification', ['--config-file', configure(vhost, secret)], {}, nodeArguments);
    const started = performance.now();
    const pid = agent.child.pid ?? 0;
    const output = () =>
      ['samples', 'events']
        .map((kind) => statSync(join(place.folder, `${vhost}-${kind}`), { throwIfNoEntry: false })?.size ?? 0)
        .reduce((sum, size) => sum + size, 0);
    while (output() === 0 && agent.child.exitCode === null) await new Promise((wake) => setTimeout(wake, 2));
    const first = performance.now();
    const startCpu = cpuSeconds(pid);
    let peak = 0;
    for (;;) {
      await new Promise((wake) => setTimeout(wake, 50));
      peak = Math.max(peak, residentMegabytes(pid));
      const { messageCount } = await channel.checkQueue(load.routingKey);
      if (messageCount === 0) break;
      if (agent.child.exitCode !== null) throw new Error(`the agent ended\n${agent.stderr}`);
    }
    // What was taken last is still in hand.
    for (let before = -1; before !== output(); ) {
      before = output();
      await new Promise((wake) => setTimeout(wake, 100));
    }
    const seconds = (performance.now() - first - 100) / 1000;
    const cpu = cpuSeconds(pid) - startCpu;
    agent.kill('SIGTERM');
    const { code } = await agent.ended;
    if (code !== 0) throw new Error(`the agent ended with ${code}\n${agent.stderr}`);
    await connection.close();
    const cpuPerThousand = (cpu / count) * 1000;
    return { perSecond: count / seconds, cpuPerThousand, startCpu, resident: peak, ready: first - started };
  }

  it('takes what services and polling agents send', async () => {
    const loads = [
      ['50 polled samples each', await measure(pollingLoad(), MESSAGES / 4), upstream.polling],
      [
        '50 polled samples each, secret set',
        await measure(pollingLoad(), MESSAGES / 4, '[publisher]\ntelemetry_secret = s3cr3t\n'),
        upstream.polling,
      ],
      ['compute, volume, image, network', await measure(mixedLoad(), MESSAGES), upstream.mixed],
    ] as const;

    report(
      'Notification agent',
      'Preloaded messages to files in JSON. The CPU per 1000 is that after the first record; the last columns say how often upstream needs ours, with its defaults and at its best.',
      ['messages', 'per second', 'CPU s per 1000', 'start CPU s', 'MB', 'first after ms', '× default', '× best'],
      loads.map(([name, { perSecond, cpuPerThousand, startCpu, resident, ready }, [byDefault, atBest]]) => [
        name,
        perSecond.toFixed(0),
        cpuPerThousand.toFixed(3),
        startCpu.toFixed(2),
        resident.toFixed(0),
        ready.toFixed(0),
        (byDefault / cpuPerThousand).toFixed(1),
        (atBest / cpuPerThousand).toFixed(1),
      ]),
    );
  });
});
