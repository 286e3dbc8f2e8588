/** Samples from the reading to the broker's confirm, on one core: stamp, sign, serialise, send. */
import { it } from 'vitest';
import { createStamp } from '../src/agent/stamp.ts';
import { loadConfig } from '../src/config/load.ts';
import { amqpOptions, createAmqpOutput } from '../src/output/amqp.ts';
import type { Meter, Reading } from '../src/plugin.ts';
import { recordingLog } from '../test/helpers/recording-log.ts';
import { describeWith } from '../test/helpers/services.ts';
import { usePlace } from './place.ts';
import { median, report } from './report.ts';

const ROUNDS = 6;
const DOMAINS = 200;
const METERS = 180;
const BATCH = 50;

describeWith('rabbitmq', 'delivery', () => {
  const place = usePlace();

  function readings(): Reading[] {
    return Array.from({ length: DOMAINS }, (_, index) => ({
      resourceId: `15beb703-0805-59d2-8f05-${String(index).padStart(12, '0')}`,
      volume: 190_000_000n + BigInt(index),
      projectId: 'd99c829753f64057bc0f2030da309943',
      userId: 'a1f4684e58bd4c88aefd2ecb0783b497',
      metadata: {
        display_name: `vm-${index}`,
        name: 'instance-00001001',
        instance_type: 'm1.tiny',
        flavor: { id: '42', name: 'm1.tiny', vcpus: 1, ram: 512, disk: 1, ephemeral: 0, swap: 0 },
        status: 'active',
        state: 'running',
        task_state: '',
        image_ref: 'bdaf114a-35e9-4163-accd-226d5944bf11',
        architecture: 'x86_64',
        vcpus: 1,
        memory_mb: 512,
      },
    }));
  }

  async function round(secret: string): Promise<{ wall: number; cpu: number }> {
    const { config } = loadConfig({
      files: [],
      dirs: [],
      env: {},
      overrides: {
        default: { transportUrl: `rabbit://guest:guest@127.0.0.1:${place.broker.port}/${place.broker.vhost()}` },
        publisher: { telemetrySecret: secret },
      },
    });
    const options = amqpOptions(config);
    if (options === undefined) throw new Error('nothing is to be sent');
    const output = createAmqpOutput(options, recordingLog());
    const signal = AbortSignal.timeout(60_000);
    const all = readings();
    const [before, cpuBefore] = [performance.now(), process.cpuUsage()];
    for (let index = 0; index < METERS; index += 1) {
      const meter: Meter = { name: `meter.${index}`, type: 'cumulative', unit: 'ns' };
      const stamp = createStamp({ sampleSource: 'openstack', pollingSource: 'all', slot: 1, time: Date.now(), meter });
      const samples = all.map((reading) => stamp.make(reading)).filter((sample) => typeof sample !== 'string');
      for (let start = 0; start < samples.length; start += BATCH) {
        await output.publish(samples.slice(start, start + BATCH), signal);
      }
    }
    const undelivered = await output.flush(signal);
    const wall = (performance.now() - before) / 1000;
    const { user, system } = process.cpuUsage(cpuBefore);
    await output.close();
    if (undelivered > 0) throw new Error(`${undelivered} samples were not confirmed`);
    return { wall, cpu: (user + system) / 1e6 };
  }

  it('reaches the confirm', async () => {
    const rows: string[][] = [];
    // Compiles; whichever kind came first would pay for both.
    for (const secret of ['s3cr3t', '']) await round(secret);
    for (const secret of ['s3cr3t', '']) {
      const rounds: { wall: number; cpu: number }[] = [];
      for (let index = 0; index < ROUNDS; index += 1) rounds.push(await round(secret));
      const count = DOMAINS * METERS;
      rows.push([
        secret === '' ? 'no' : 'yes',
        String(count),
        (count / median(rounds.map(({ wall }) => wall))).toFixed(0),
        (count / median(rounds.map(({ cpu }) => cpu))).toFixed(0),
      ]);
    }
    report(
      'Samples from the reading to the confirm',
      `Medians of ${ROUNDS} rounds after one to warm up; CPU is that of the sending process, the broker's not counted.`,
      ['signed', 'samples', 'samples/s of wall', 'samples/s of CPU'],
      rows,
    );
  });
});
