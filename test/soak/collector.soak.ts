/** Nothing is lost and nothing is there twice: many kills of the collector while samples come. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { killedOver } from '../collector/kills.ts';
import { createRig } from '../collector/rig.ts';
import { type Postgresql, startPostgresql } from '../helpers/postgresql.ts';
import { type Rabbitmq, startRabbitmq } from '../helpers/rabbitmq.ts';
import { describeWith } from '../helpers/services.ts';

const TIMES = Number(process.env['CEILOMETER_SOAK_TIMES'] ?? 50);
const MESSAGES = TIMES * 40;

describeWith(['rabbitmq', 'postgresql'], 'the collector in trouble', () => {
  let broker: Rabbitmq;
  let server: Postgresql;
  beforeAll(async () => {
    [broker, server] = await Promise.all([startRabbitmq(), startPostgresql()]);
  });
  afterAll(async () => {
    await broker?.[Symbol.asyncDispose]();
    await server?.[Symbol.asyncDispose]();
  });

  it.each(['SQLite', 'PostgreSQL'])(`has each sample once after ${TIMES} kills, with %s`, async (kind) => {
    const database = kind === 'SQLite' ? '' : `[database]\nconnection = ${await server.database()}\n`;
    const rig = await createRig(broker, database);

    const { sent, stored } = await killedOver(rig, { times: TIMES, messages: MESSAGES });

    console.log(`${TIMES} kills, ${kind}: ${stored.length} of ${sent.length} samples stored`);
    expect(stored.length).toBe(sent.length);
    expect(stored).toEqual(sent);
  });
});
