/** Nothing is lost: many kills, or many cuts, over many preloaded notifications. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { AgentProcess } from '../helpers/agent-process.ts';
import { writeProfile } from '../helpers/golden-notifications.ts';
import { depth, mixedLoad, preload } from '../helpers/notification-load.ts';
import { type Rabbitmq, startRabbitmq } from '../helpers/rabbitmq.ts';
import { describeWith } from '../helpers/services.ts';
import { startTcpProxy } from '../helpers/tcp-proxy.ts';

const MESSAGES = Number(process.env['CEILOMETER_SOAK_MESSAGES'] ?? 20_000);
const TIMES = Number(process.env['CEILOMETER_SOAK_TIMES'] ?? 50);

describeWith('rabbitmq', 'the notification agent in trouble', () => {
  let rabbit: Rabbitmq;
  let folder: string;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'ceilometer-soak-'));
    rabbit = await startRabbitmq();
  });

  afterAll(async () => {
    await rabbit?.[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true, force: true });
  });

  async function place(port: number) {
    const vhost = rabbit.vhost();
    const directory = join(folder, vhost);
    mkdirSync(directory);
    const events = join(directory, 'events.jsonl');
    const conf = writeProfile(directory, 'default', {
      transportUrl: `rabbit://guest:guest@127.0.0.1:${port}/${vhost}?kombu_reconnect_delay=0.1&rabbit_retry_backoff=0`,
      samplePublishers: [`file://${join(directory, 'samples.jsonl')}?json`],
      eventPublishers: [`file://${events}?json`],
    });
    const broker = await rabbit.connect(vhost);
    await preload(broker, mixedLoad(), MESSAGES);
    const ids = () => {
      if (statSync(events, { throwIfNoEntry: false }) === undefined) return [];
      // A line that a killed process left half has no end, and counts as nothing.
      return [...readFileSync(events, 'utf8').matchAll(/^\{"message_id": "([^"]+)".*\}$/gm)].map(([, id]) => id);
    };
    const left = () => depth(broker, 'notifications.info');
    return { conf, ids, left };
  }

  async function finish(ids: () => readonly unknown[], left: () => Promise<number>): Promise<readonly unknown[]> {
    const end = Date.now() + 600_000;
    while (Date.now() < end && ((await left()) > 0 || new Set(ids()).size < MESSAGES)) await sleep(500);
    return ids();
  }

  it(`has each of ${MESSAGES} notifications after ${TIMES} kills`, async () => {
    const { conf, ids, left } = await place(rabbit.port);

    for (let kill = 0; kill < TIMES; kill++) {
      const agent = new AgentProcess('notification', ['--config-file', conf]);
      await agent.shows(/taking notifications/);
      await sleep(Math.random() * 200);
      agent.kill('SIGKILL');
      await agent.ended;
    }
    const last = new AgentProcess('notification', ['--config-file', conf]);
    const all = await finish(ids, left);
    last.kill('SIGTERM');
    await last.ended;

    console.log(`${TIMES} kills: ${all.length - new Set(all).size} of ${MESSAGES} repeated`);
    expect(new Set(all).size).toBe(MESSAGES);
  });

  it(`has each of ${MESSAGES} notifications after ${TIMES} cuts`, async () => {
    const proxy = await startTcpProxy(rabbit.port);
    const { conf, ids, left } = await place(proxy.port);
    const agent = new AgentProcess('notification', ['--config-file', conf]);
    await agent.shows(/taking notifications/);

    for (let cut = 0; cut < TIMES; cut++) {
      // Each connection has to get somewhere, or the cuts would meet none.
      const before = ids().length;
      while (ids().length === before && before < MESSAGES) await sleep(10);
      await sleep(Math.random() * 100);
      proxy.cut();
    }
    const all = await finish(ids, left);
    agent.kill('SIGTERM');
    await agent.ended;
    await proxy[Symbol.asyncDispose]();

    console.log(`${TIMES} cuts: ${all.length - new Set(all).size} of ${MESSAGES} repeated`);
    expect(new Set(all).size).toBe(MESSAGES);
  });
});
