/**
 * The units as an operator installs them, under a live systemd, with a broker and a libvirt that only its group may
 * use.
 */
import { existsSync } from 'node:fs';
import { appendFile, chmod, chown, copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type FakeLibvirtd, novaDomain, startFakeLibvirtd } from '../../src/testing.ts';
import { eventually } from '../helpers/eventually.ts';
import { type Rabbitmq, startRabbitmq } from '../helpers/rabbitmq.ts';
import { describeWithSystemd, type Systemd, startSystemd } from '../helpers/systemd.ts';

const POLLING = 'ceilometer-polling.service';
const NOTIFICATION = 'ceilometer-agent-notification.service';
const COLLECTOR = 'ceilometer-collector.service';
const units = [POLLING, NOTIFICATION, COLLECTOR];

const etc = (name: string) => fileURLToPath(new URL(`../../etc/${name}`, import.meta.url));

const pipeline = `
sources:
  - {name: all, meters: ["*"], sinks: [archive]}
sinks:
  - {name: archive, publishers: ["file:///var/log/ceilometer/samples.jsonl?json"]}
`;

/** Shorter than an operator would have it, so that the tests are. */
const dropIn = '[Service]\nRestartSec=100ms\nWatchdogSec=5s\n';

describeWithSystemd(['rabbitmq'], 'the units under a live systemd', () => {
  let broker: Rabbitmq;
  let systemd: Systemd;
  let libvirtd: FakeLibvirtd;
  let socket: Server;

  const path = (name: string) => join(systemd.root, name);
  const show = (unit: string, ...properties: string[]) => systemd.show(unit, ...properties);
  const mainPid = async (unit: string) => Number((await show(unit, 'MainPID'))['MainPID']);
  const polled = (meters: string, interval = '5') =>
    writeFile(
      path('etc/ceilometer/polling.yaml'),
      `sources:\n  - {name: all, interval: ${interval}, meters: [${meters}]}\n`,
    );

  beforeAll(async () => {
    broker = await startRabbitmq();
    systemd = await startSystemd();
    for (const folder of ['etc/ceilometer', 'etc/default', 'etc/sysusers.d', 'run/libvirt']) {
      await mkdir(path(folder));
    }
    await copyFile(etc('systemd/ceilometer-polling.sysusers.conf'), path('etc/sysusers.d/ceilometer.conf'));
    for (const unit of units) {
      await copyFile(etc(`systemd/${unit}`), path(`etc/systemd/system/${unit}`));
      await mkdir(path(`etc/systemd/system/${unit}.d`));
      await writeFile(path(`etc/systemd/system/${unit}.d/tests.conf`), dropIn);
    }
    const url = `rabbit://guest:guest@127.0.0.1:${broker.port}/${broker.vhost()}`;
    await writeFile(
      path('etc/ceilometer/ceilometer.conf'),
      `[DEFAULT]\ntransport_url = ${url}\n[collector]\napi_port = 0\n`,
    );
    await writeFile(path('etc/ceilometer/pipeline.yaml'), pipeline);
    await polled('"*"');
    await writeFile(
      path('etc/default/ceilometer-polling'),
      'CEILOMETER_POLLING_OPTIONS=--polling-namespaces compute host\n',
    );
    await systemd.inside('systemd-sysusers');
    await systemd.inside('systemctl', 'daemon-reload');
    await listenAsLibvirt();
  });

  afterAll(async () => {
    await systemd?.close();
    socket?.close();
    await libvirtd?.close();
    await broker?.[Symbol.asyncDispose]();
  });

  /** Where the agent looks for libvirt without being told, open to root and its group as distributions have it. */
  async function listenAsLibvirt(): Promise<void> {
    libvirtd = await startFakeLibvirtd({ domains: [novaDomain(1)] });
    socket = createServer((client) => {
      const server = connect(libvirtd.socket);
      client.on('error', () => server.destroy());
      server.on('error', () => client.destroy());
      client.pipe(server).pipe(client);
    });
    const file = path('run/libvirt/libvirt-sock');
    await new Promise<void>((resolve) => socket.listen(file, resolve));
    const [, group] = /^libvirt:x:(\d+):ceilometer$/m.exec(await readFile(path('etc/group'), 'utf8')) ?? [];
    await chown(file, 0, Number(group));
    await chmod(file, 0o770);
  }

  it('count as started when they are ready, as a user without rights', async () => {
    await systemd.inside('systemctl', 'start', ...units);

    expect(await show(POLLING, 'ActiveState', 'StatusText')).toEqual({
      ActiveState: 'active',
      StatusText: expect.stringMatching(/^polling with \d\d pollsters$/),
    });
    expect(await show(NOTIFICATION, 'StatusText')).toEqual({ StatusText: expect.stringMatching(/^listening with/) });
    expect(await show(COLLECTOR, 'StatusText')).toEqual({ StatusText: expect.stringMatching(/^collecting; http:/) });
    for (const unit of units) {
      const status = await readFile(path(`proc/${await mainPid(unit)}/status`), 'utf8');
      expect(status, unit).toMatch(/^CapEff:\t0+$/m);
      expect(status, unit).toMatch(/^NoNewPrivs:\t1$/m);
      expect(status, unit).toMatch(/^Seccomp:\t2$/m);
      expect(status, unit).not.toMatch(/^Uid:.*\b0\b/m);
    }
  });

  it('poll this machine and its instances, send, take, publish and store', async () => {
    const archived = () => readFile(path('var/log/ceilometer/samples.jsonl'), 'utf8').catch(() => '');
    const { StatusText = '' } = await show(COLLECTOR, 'StatusText');
    const stored = async () => {
      const answer = await fetch(`${StatusText.replace('collecting; ', '')}/v1/meters`);
      return answer.text();
    };

    for (const meter of ['cpu', 'disk.device.read.bytes', 'hardware.memory.used', 'hardware.network.incoming.bytes']) {
      await eventually(archived).toContain(`"name": "${meter}"`);
      await eventually(stored).toContain(`"${meter}"`);
    }
    expect(await systemd.journal(POLLING)).not.toMatch(/WARNING|ERROR/);
  });

  it('read the configuration anew at a reload, and go on with the old one when it is wrong', async () => {
    const status = async () => Object.values(await show(POLLING, 'ActiveState', 'StatusText')).sort();
    const pid = await mainPid(POLLING);

    await polled('hardware.cpu.load.1min');
    await systemd.inside('systemctl', 'reload', ...units);
    await eventually(status).toEqual(['active', 'polling with 1 pollster']);
    await polled('hardware.cpu.load.1min', 'often');
    await systemd.inside('systemctl', 'reload', POLLING);
    await eventually(status).toEqual(['active', 'the new configuration is wrong, the old one goes on']);

    expect(await systemd.journal(POLLING)).toMatch(/polling\.yaml:2: .*interval/);
    expect(await mainPid(POLLING)).toBe(pid);
  });

  it.each(['STOP', 'KILL'])('are started anew after SIG%s', async (signal) => {
    await polled('cpu, network.incoming.bytes.delta');
    const shown = () => Promise.all(units.map((unit) => show(unit, 'NRestarts', 'SubState')));
    const before = (await shown()).map(({ NRestarts }) => Number(NRestarts));
    const areNew = async () =>
      (await shown()).map(
        ({ NRestarts, SubState }, index) => SubState === 'running' && Number(NRestarts) > (before[index] ?? 0),
      );

    await systemd.inside('systemctl', 'kill', '--kill-whom=main', `--signal=${signal}`, ...units);

    await eventually(areNew).toEqual([true, true, true]);
  });

  it('end by themselves, and leave what they have to remember', async () => {
    const kept = path('var/lib/ceilometer/polling-compute-host.compute.counters.json');
    await eventually(() => readFile(kept, 'utf8').catch(() => '')).toContain('network');

    await systemd.inside('systemctl', 'stop', ...units);

    for (const unit of units) {
      expect(await show(unit, 'ActiveState', 'Result', 'ExecMainStatus'), unit).toEqual({
        ActiveState: 'inactive',
        Result: 'success',
        ExecMainStatus: '0',
      });
    }
    expect(existsSync(path('run/ceilometer'))).toBe(false);
  });

  it('do not start with a mistake in the configuration, once and for all, and name its place', async () => {
    await appendFile(path('etc/ceilometer/ceilometer.conf'), '[polling]\nbatch_size = many\n');

    for (const unit of units) {
      await expect(systemd.inside('systemctl', 'start', unit)).rejects.toThrow();

      // While another start is to come it is activating.
      expect(await show(unit, 'ActiveState', 'ExecMainStatus', 'NRestarts'), unit).toEqual({
        ActiveState: 'failed',
        ExecMainStatus: '1',
        NRestarts: '0',
      });
      expect(await systemd.journal(unit)).toMatch(/\/etc\/ceilometer\/ceilometer\.conf:6: .*batch_size/);
    }
  });
});
