/** The built collector over a real broker. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ChannelModel, ConfirmChannel } from 'amqplib';
import { onTestFinished } from 'vitest';
import { MESSAGE_PROPERTIES } from '../../src/messaging/envelope.ts';
import { createSampleMessages } from '../../src/messaging/sample-messages.ts';
import type { Sample } from '../../src/sample.ts';
import { isoTimestamp, sampleId } from '../../src/sample.ts';
import { parseExactJson } from '../../src/wire/json-parser.ts';
import { AgentProcess } from '../helpers/agent-process.ts';
import type { Rabbitmq } from '../helpers/rabbitmq.ts';

export interface Rig {
  readonly vhost: string;
  readonly connection: ChannelModel;
  readonly channel: ConfirmChannel;
  /** Writes the configuration anew. */
  configure(config: string): void;
  /** Starts a collector; resolves when it takes samples. */
  start(): Promise<AgentProcess>;
  /** Sends a body to a routing key of the exchange, and waits for the broker's confirm. */
  send(routingKey: string, body: Buffer | string): Promise<void>;
  /** Sends samples as polling agents do. */
  poll(samples: readonly Sample[], secret?: string): Promise<void>;
  /** Asks the collector that was started last. */
  // biome-ignore lint/suspicious/noExplicitAny: what the API answers is proven elsewhere
  ask(path: string): Promise<any>;
}

export async function createRig(broker: Rabbitmq, config = ''): Promise<Rig> {
  const folder = mkdtempSync(join(tmpdir(), 'collector-'));
  const vhost = broker.vhost();
  const file = join(folder, 'ceilometer.conf');
  const configure = (more: string) =>
    writeFileSync(
      file,
      `[DEFAULT]\ntransport_url = rabbit://guest:guest@127.0.0.1:${broker.port}/${vhost}\nstate_path = ${folder}\n` +
        `[oslo_messaging_rabbit]\nkombu_reconnect_delay = 0.1\n[collector]\napi_port = 0\n${more}`,
    );
  configure(config);
  const connection = await broker.connect(vhost);
  const channel = await connection.createConfirmChannel();
  const running: AgentProcess[] = [];
  let url = '';

  onTestFinished(async () => {
    for (const agent of running) agent.kill('SIGKILL');
    await Promise.all(running.map(({ ended }) => ended));
    await connection.close().catch(() => {});
    rmSync(folder, { recursive: true, force: true });
  });

  async function send(routingKey: string, body: Buffer | string): Promise<void> {
    channel.publish('ceilometer', routingKey, Buffer.from(body), MESSAGE_PROPERTIES);
    await channel.waitForConfirms();
  }

  return {
    vhost,
    connection,
    channel,
    configure,
    send,
    async start() {
      const agent = new AgentProcess('collector', ['--config-file', file]);
      running.push(agent);
      await agent.shows(/taking samples/);
      [, url = ''] = await agent.shows(/(http:\/\/127\.0\.0\.1:[0-9]+)/);
      return agent;
    },
    async poll(samples, secret = '') {
      const toMessages = createSampleMessages({
        secret,
        format: 'messagingv2',
        routingKeys: ['notifications.sample'],
        maxMessageBytes: 1_000_000,
        refused: (_sample, reason) => {
          throw reason;
        },
      });
      for (const message of toMessages(samples)) {
        channel.publish('ceilometer', 'notifications.sample', message.body, MESSAGE_PROPERTIES);
      }
      await channel.waitForConfirms();
    },
    async ask(path) {
      const response = await fetch(url + path);
      if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
      return parseExactJson(await response.text());
    },
  };
}

/** One sample of one slot. */
export function polled(slot: number, parts: Partial<Sample> = {}): Sample {
  const resourceId = parts.resourceId ?? 'r1';
  return {
    id: sampleId('openstack', 'cpu', resourceId, slot),
    name: 'cpu',
    type: 'cumulative',
    unit: 'ns',
    volume: BigInt(slot),
    resourceId,
    projectId: 'p1',
    projectName: null,
    userId: 'u1',
    userName: null,
    timestamp: isoTimestamp(Date.now() - 3_600_000 + slot * 1000),
    monotonicTime: slot,
    metadata: { host: 'h1' },
    source: 'openstack',
    ...parts,
  };
}
