/** Sessions with a cloud of the test's own; both end with the test. */
import { afterEach } from 'vitest';
import { loadConfig } from '../../src/config/load.ts';
import { createSession, type OpenStackSession } from '../../src/openstack/session.ts';
import { type Answer, credentialsFor, type FakeCloud, startFakeCloud } from '../helpers/fake-openstack.ts';

const closers: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

export type Credentials = Readonly<Record<string, string | number | boolean>>;

/** Time passes only when a test says so; every pause is noted and over at once. */
export function testClock() {
  const begun = Date.now();
  const clock = {
    time: 0,
    pauses: [] as number[],
    now: () => begun + clock.time,
    monotonic: () => clock.time,
    sleep: async (milliseconds: number) => {
      clock.pauses.push(milliseconds);
    },
  };
  return clock;
}

export async function cloudWith(
  routes: Readonly<Record<string, Answer>> = {},
  tls?: Parameters<typeof startFakeCloud>[0],
): Promise<FakeCloud> {
  const cloud = await startFakeCloud(tls);
  closers.push(cloud.close);
  for (const [path, answer] of Object.entries(routes)) cloud.routes.set(path, answer);
  return cloud;
}

export function sessionOf(
  cloud: { readonly url: string },
  changes: Credentials = {},
  clock = testClock(),
): OpenStackSession {
  const { config } = loadConfig({
    files: [],
    dirs: [],
    env: {},
    overrides: { serviceCredentials: { ...credentialsFor(cloud), ...changes } },
  });
  const session = createSession(config, { clock, random: () => 0.5 });
  closers.push(session.close);
  return session;
}

export { soon as signal } from '../helpers/patience.ts';
export const servers = { servers: [{ id: 'a' }] };
export const SERVERS = '/compute/v2.1/servers';
