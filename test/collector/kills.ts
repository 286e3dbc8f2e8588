import { setTimeout as sleep } from 'node:timers/promises';
import type { SamplePage } from '../../src/collector/api/schema.ts';
import { polled, type Rig } from './rig.ts';

export interface Kills {
  readonly times: number;
  /** Of fifty samples each. */
  readonly messages: number;
}

/** Sends messages and kills collectors meanwhile, then lets one finish. Both lists are sorted. */
export async function killedOver(rig: Rig, { times, messages }: Kills): Promise<{ sent: string[]; stored: string[] }> {
  const sent: string[] = [];
  let next = 0;
  let collector = await rig.start();
  for (let round = 0; round <= times; round++) {
    const until = Math.ceil((messages * (round + 1)) / (times + 1));
    for (; next < until; next++) {
      const samples = Array.from({ length: 50 }, (_, index) => polled(next, { resourceId: `r${index}` }));
      await rig.poll(samples);
      sent.push(...samples.map(({ id }) => id));
    }
    if (round === times) break;
    await sleep(Math.random() * 150);
    collector.kill('SIGKILL');
    await collector.ended;
    collector = await rig.start();
  }
  const end = Date.now() + 120_000;
  while ((await rig.ask('/v1/status')).store.samples < sent.length && Date.now() < end) await sleep(50);
  await sleep(200);
  collector.kill('SIGTERM');
  await collector.ended;
  await rig.start();
  const stored: string[] = [];
  let marker = '';
  do {
    const page: SamplePage = await rig.ask(`/v1/samples?limit=10000&metadata=false${marker}`);
    stored.push(...page.samples.map(({ message_id: id }) => id));
    marker = page.next === null ? '' : `&marker=${page.next}`;
  } while (marker !== '');
  return { sent: sent.sort(), stored: stored.sort() };
}
