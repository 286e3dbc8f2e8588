import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { builtin } from '../src/agent/builtin.ts';
import { loadExternal } from '../src/agent/external-plugins.ts';
import { decodeMessage } from '../src/messaging/notification-message.ts';
import notificationsPlugin from '../src/notifications/index.ts';
import {
  ConfigError,
  createIds,
  createSampleMaker,
  definePlugin,
  definePollster,
  type JsonValue,
  type Notification,
  type NotificationSample,
  type Plugin,
  type PublisherFactory,
  type Reading,
} from '../src/plugin.ts';
import publishersPlugin from '../src/publishers/index.ts';
import { checkPlugin, fakeHost, fakeNotification } from '../src/testing.ts';
import { goldenCases } from './helpers/golden-notifications.ts';

const goodPlugin = fileURLToPath(new URL('./fixtures/plugins/good.mjs', import.meta.url));

/** What no compiler has checked. */
const bad = (() => {}) as unknown as JsonValue;

function fail(reason: string | Error): never {
  throw reason instanceof Error ? reason : new Error(reason);
}

function notificationIn(body: string): Notification | undefined {
  try {
    return decodeMessage(Buffer.from(body), {
      ...{ contentType: 'application/json', contentEncoding: 'utf-8', headers: {} },
    }).notification;
  } catch {
    return undefined;
  }
}

describe('every built-in plugin', () => {
  it.each(Object.entries(builtin))('keeps the contract: %s', async (_, load) => {
    const { default: plugin } = await load();

    await checkPlugin(plugin);
  });
});

describe('what this package brings for notifications', () => {
  const folder = mkdtempSync(join(tmpdir(), 'contract-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('keeps the contract: endpoints and trait plugins', async () => {
    const notifications = goldenCases()
      .filter(({ loops }) => !loops)
      .flatMap(({ body }) => notificationIn(body) ?? []);

    expect(notifications.length).toBeGreaterThan(150);
    await checkPlugin(notificationsPlugin, { notifications, parameters: { map: { values: { a: 1 } } } });
  });

  it('keeps the contract: publishers', async () => {
    const urls = {
      file: `file://${folder}/samples?json`,
      http: 'http://127.0.0.1:1/samples?timeout=1&max_retries=0',
      https: 'https://127.0.0.1:1/samples?timeout=1&max_retries=0',
      tcp: 'tcp://127.0.0.1:1',
      udp: 'udp://127.0.0.1:1',
      notifier: 'notifier://127.0.0.1:1?topic=t',
      opentelemetryhttp: 'opentelemetryhttp://127.0.0.1:1/v1/metrics?timeout=1&max_retries=0',
      prometheus: 'prometheus://127.0.0.1:1/metrics/job/contract?timeout=1&max_retries=0',
      zaqar: 'zaqar://?queue=contract',
      gnocchi: 'gnocchi://?enable_filter_project=false',
      test: 'test://',
    };

    expect(Object.keys(publishersPlugin.publishers ?? {}).filter((scheme) => !(scheme in urls))).toEqual([]);
    const host = fakeHost({ options: { serviceCredentials: { authType: 'none', endpoint: 'http://127.0.0.1:1' } } });
    await checkPlugin(publishersPlugin, { urls, host });
  });
});

it('the contract is kept by a plugin file with pollsters, an endpoint, a trait plugin and a publisher', async () => {
  const [source] = await loadExternal([goodPlugin], fakeHost().log);
  if (source === undefined) throw new Error('the plugin is not loaded');

  await checkPlugin(source.plugin, {
    notifications: [fakeNotification({ eventType: 'identity.authenticate', payload: { initiator: { id: 'u' } } })],
    parameters: { 'good.upper': { prefix: '>' } },
    urls: { good: 'good://lab' },
  });
});

describe('checkPlugin', () => {
  /** What a plugin leaves open, for as long as the check may take. */
  let left: NodeJS.Timeout | undefined;
  afterEach(() => clearTimeout(left));

  const meter = { name: 'x', type: 'gauge', unit: '' } as const;
  const of = (poll: () => Iterable<Reading> | AsyncIterable<Reading>) =>
    definePlugin({ api: 1, name: 'p', pollsters: { host: { x: definePollster(meter, { poll }) } } });

  it('passes a plugin that keeps the rules', async () => {
    await checkPlugin(of(() => [{ resourceId: 'r', volume: 1 }]));
  });

  const login = fakeNotification({ eventType: 'login', payload: { count: 1 } });
  const sample = createSampleMaker(login, 'openstack', createIds(login)).make({
    ...{ name: 'x', type: 'gauge', unit: '', volume: 1, userId: null, projectId: null, resourceId: 'r' },
  });
  const endpoint = (process: (notification: Notification) => Iterable<NotificationSample>, eventTypes = ['login']) =>
    definePlugin({ api: 1, name: 'p', endpoints: { e: () => ({ eventTypes, process }) } });
  const traits = (values: () => readonly JsonValue[]) =>
    definePlugin({ api: 1, name: 'p', traits: { t: () => ({ allValues: true, values }) } });
  const publisher = (factory: PublisherFactory) => definePlugin({ api: 1, name: 'p', publishers: { s: factory } });

  it.each<[string, Plugin]>([
    ['endpoint e: Invalid regular expression', endpoint(() => [], ['('])],
    ['endpoint e: makes other ids when login is delivered again', endpoint(() => [{ ...sample, id: randomUUID() }])],
    ['endpoint e: volume of x is not a value that JSON can carry', endpoint(() => [{ ...sample, volume: bad }])],
    ['endpoint e: the type of x is not gauge', endpoint(() => [{ ...sample, type: 'rate' as 'gauge' }])],
    ['object is not extensible', endpoint((given) => [Object.assign(given, { seen: true }) && sample])],
    ['endpoint e: it is no use', endpoint((given) => fail(given.eventType === 'login' ? 'it is no use' : ''))],
    ['trait t: gives 0 values for 1 fields, with allValues set', traits(() => [])],
    ['publisher s: refuses s://user:***@127.0.0.1:1/contract with another error', publisher(() => fail('no'))],
    [
      'publisher s: shows the password of its URL',
      publisher(({ authority }) => {
        throw new ConfigError(authority);
      }),
    ],
    ['publisher s: refuses s://given: no', publisher(() => fail(new ConfigError('no')))],
    ['publisher s: expected publishSamples, publishEvents or both', publisher(() => ({ close: async () => {} }))],
    [
      'publisher s: goes on for more than five seconds with a signal that has aborted',
      publisher(() => ({ publishSamples: () => new Promise(() => {}), close: async () => {} })),
    ],
    [
      'publisher s: leaves something open',
      publisher(() => {
        left = setTimeout(() => {}, 60_000);
        return { publishSamples: async () => {}, close: async () => {} };
      }),
    ],
  ])('tells of a broken rule: %s', async (rule, plugin) => {
    const urls = rule.includes('s://given') ? { s: 's://given' } : {};

    await expect(checkPlugin(plugin, { notifications: [login], urls })).rejects.toThrow(rule);
  });

  it.each<[string, ReturnType<typeof of>]>([
    ['host x: volume NaN of r', of(() => [{ resourceId: 'r', volume: Number.NaN }])],
    [
      'host x: it broke',
      of(() => {
        throw new Error('it broke');
      }),
    ],
    [
      'host x: yields y, which it does not declare',
      of(() => [{ resourceId: 'r', volume: 1, meter: { ...meter, name: 'y' } }]),
    ],
    [
      'host x: a poll whose signal has aborted goes on for more than a second',
      (() => {
        let polls = 0;
        return of(async function* () {
          polls += 1;
          if (polls > 1) await new Promise(() => {});
          yield { resourceId: 'r', volume: 1 };
        });
      })(),
    ],
    [
      'host x: its factory opens something',
      definePlugin({
        api: 1,
        name: 'p',
        pollsters: {
          host: {
            x: () => {
              left = setTimeout(() => {}, 60_000);
              return { meters: [meter], poll: () => [] };
            },
          },
        },
      }),
    ],
    [
      'host x: its factory throws no',
      definePlugin({
        api: 1,
        name: 'p',
        pollsters: {
          host: {
            x: () => {
              throw new Error('no');
            },
          },
        },
      }),
    ],
  ])('tells of a broken rule: %s', async (rule, plugin) => {
    await expect(checkPlugin(plugin)).rejects.toThrow(rule);
  });
});
