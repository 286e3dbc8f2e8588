import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AgentProcess, run } from '../helpers/agent-process.ts';
import { eventually } from '../helpers/eventually.ts';

let folder: string;
const agents: AgentProcess[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'polling-'));
});

afterEach(() => {
  for (const agent of agents.splice(0)) agent.kill('SIGKILL');
  rmSync(folder, { recursive: true });
});

const pluginFile = (name: string) => fileURLToPath(new URL(`../fixtures/plugins/${name}.mjs`, import.meta.url));

interface Files {
  readonly conf?: string;
  readonly polling?: string;
}

/** Writes the files and returns the arguments that name them. */
function configured({ conf = '', polling }: Files = {}): string[] {
  const pollingFile = join(folder, 'polling.yaml');
  writeFileSync(pollingFile, polling ?? 'sources:\n  - {name: all, interval: 10, meters: ["*"]}\n');
  const file = join(folder, 'ceilometer.conf');
  writeFileSync(file, `[polling]\ncfg_file = ${pollingFile}\n${conf}`);
  return ['--config-file', file];
}

function start(args: readonly string[]): AgentProcess {
  const agent = new AgentProcess('polling', args);
  agents.push(agent);
  return agent;
}

const host = ['--polling-namespaces', 'host'];

describe('ceilometer-polling --once', () => {
  it('writes one sample a line in the words of the wire, logs to standard error, and exits 0', async () => {
    const { code, stdout } = await run('polling', [...configured(), ...host, '--once', '--output', 'jsonl']);

    const samples = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(code).toBe(0);
    expect(samples.length).toBeGreaterThan(10);
    expect(Object.keys(samples[0] ?? {})).toEqual([
      'source',
      'counter_name',
      'counter_type',
      'counter_unit',
      'counter_volume',
      'user_id',
      'user_name',
      'project_id',
      'project_name',
      'resource_id',
      'timestamp',
      'resource_metadata',
      'message_id',
      'monotonic_time',
      'message_signature',
    ]);
  });

  it('takes lists with commas, repeated options and wildcards, and counts a repeated value once with a warning', async () => {
    const { code, stdout, stderr } = await run('polling', [
      ...configured(),
      '--polling-namespaces',
      'host,host',
      '--pollster-list',
      'hardware.cpu.load.1min',
      '--pollster-list',
      'hardware.cpu.load.5*,hardware.cpu.load.15min',
      '--once',
      '--output=jsonl',
    ]);

    const names = stdout
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { counter_name: string }).counter_name);
    expect(names.sort()).toEqual(['hardware.cpu.load.15min', 'hardware.cpu.load.1min', 'hardware.cpu.load.5min']);
    expect(stderr).toContain('--polling-namespaces names host more than once');
    expect(code).toBe(0);
  });

  it('exits 2 when a pollster failed, names it, and still writes the others’ samples', async () => {
    const args = configured({
      conf: `pollster_timeout = 2\n[DEFAULT]\nplugins = ${pluginFile('misbehaves')}\nplugins = ${pluginFile('good')}\n`,
    });

    const { code, stdout, stderr } = await run('polling', [...args, ...host, '--once', '--output', 'jsonl']);

    expect(code).toBe(2);
    expect(stdout).toContain('"counter_name": "good.gauge"');
    expect(stdout).toContain('"counter_name": "hardware.memory.total"');
    expect(stderr).toContain('the sensor is broken');
    expect(stderr).toContain('pollster bad.hangs not done after 2 s');
    expect(stderr).toContain('volume \\"much\\" of r: expected a finite number or a bigint');
    expect(stderr).toContain('nobody waits for this');
  });

  it.each([
    [
      'libvirt_uri = qemu+tcp://u:s3cret@h/system',
      4,
      '[DEFAULT] libvirt_uri: a libvirt URI takes a user, but no password',
    ],
    ['debug = false\nlibvirt_uri = nonsense', 5, '[DEFAULT] libvirt_uri: not a libvirt URI: "nonsense"'],
    ['transport_url = kafka://u:s3cret@h', 4, "[DEFAULT] transport_url: invalid transport URL: unknown scheme 'kafka'"],
  ])('names the place of what is wrong with %s, and nothing secret', async (option, line, reason) => {
    const args = configured({ conf: `[DEFAULT]\n${option}\n` });

    const { code, stderr } = await run('polling', [...args, '--polling-namespaces', 'compute', '--once']);

    expect(code).toBe(1);
    expect(stderr).toContain(`ceilometer.conf:${line}: ${reason}`);
    expect(stderr).not.toContain('s3cret');
  });

  it('goes on without a plugin that cannot be imported', async () => {
    const args = configured({ conf: `[DEFAULT]\nplugins = ${pluginFile('throws-at-import')}\n` });

    const { code, stderr } = await run('polling', [...args, ...host, '--once', '--output', 'none']);

    expect(code).toBe(0);
    expect(stderr).toContain('plugin could not be loaded and is left out');
    expect(stderr).toContain('no such device');
  });

  it('exits 2 with one line when libvirt is away', async () => {
    const args = configured({ conf: `[DEFAULT]\nlibvirt_uri = qemu+unix:///system?socket=${folder}/none\n` });

    const { code, stderr } = await run('polling', [
      ...args,
      '--polling-namespaces',
      'compute',
      '--once',
      '--output',
      'none',
    ]);

    expect(code).toBe(2);
    expect(stderr.split('\n').filter((line) => / (WARNING|ERROR) /.test(line))).toEqual([
      expect.stringMatching(/ERROR libvirt is not there, trying again with each poll: .*\/none/),
    ]);
  });
});

describe('ceilometer-polling that cannot start', () => {
  it.each([
    [['--polling-namespaces', 'hots'], 'no plugin provides namespace hots, did you mean host?'],
    [['--polling-namespaces', 'host', '--pollster-list', 'gpu.*'], 'no pollster matches --pollster-list gpu.*'],
    [['--polling-namespaces', 'host', '--output', 'xml'], 'output'],
    [['--pol', 'host'], 'pol'],
    [['--config-file', '/does/not/exist.conf'], '/does/not/exist.conf'],
  ])('exits 1 and says why: %j', async (args, reason) => {
    const named = args.includes('--config-file') ? args : [...configured(), ...args];

    const { code, stderr, stdout } = await run('polling', named);

    expect(code).toBe(1);
    expect(stderr).toContain(reason);
    expect(stdout).toBe('');
    expect(stderr).not.toMatch(/^ {4}at /m);
  });

  it('names file, line and key of each mistake in the configuration', async () => {
    const args = configured({ conf: 'batch_size = many\nthreads_to_process_pollsters = -1\n' });

    const { code, stderr } = await run('polling', [...args, ...host]);

    expect(code).toBe(1);
    expect(stderr).toMatch(/ceilometer\.conf:3: \[polling\] batch_size: expected .*many/);
    expect(stderr).toMatch(/ceilometer\.conf:4: \[polling\] threads_to_process_pollsters: expected /);
  });

  it('refuses --pollster-list beside coordination', async () => {
    const args = configured({ conf: '[coordination]\nbackend_url = redis://127.0.0.1\n' });

    const { code, stderr } = await run('polling', [...args, ...host, '--pollster-list', 'hardware.*']);

    expect(code).toBe(1);
    expect(stderr).toContain('--pollster-list cannot be used with [coordination] backend_url');
  });

  it('says so when polling.yaml is wrong', async () => {
    const args = configured({ polling: 'sources:\n  - name: a\n    interval: soon\n    meters: ["*", "cpu"]\n' });

    const { code, stderr } = await run('polling', [...args, ...host]);

    expect(code).toBe(1);
    expect(stderr).toMatch(/polling\.yaml:3: .*interval.*expected a whole number of seconds/);
    expect(stderr).toMatch(/polling\.yaml:4: .*meters/);
  });
});

describe('ceilometer-polling that runs', () => {
  const everySecond = 'sources:\n  - {name: all, interval: 1, meters: ["hardware.memory.total"]}\n';

  it('polls every interval until SIGTERM and then exits 0', async () => {
    const agent = start([...configured({ polling: everySecond }), ...host, '--output', 'jsonl']);
    await agent.shows(/(counter_name[^\n]*\n[\s\S]*){3}/);

    agent.kill('SIGTERM');
    const { code, stdout } = await agent.ended;

    const ids = stdout
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { message_id: string }).message_id);
    expect(code).toBe(0);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('finishes the cycle in hand on the first SIGTERM, and lets go of it on the second', async () => {
    const args = configured({
      conf: `[DEFAULT]\nplugins = ${pluginFile('misbehaves')}\n`,
      polling: 'sources:\n  - {name: all, interval: 60, meters: ["bad.hangs"]}\n',
    });
    const agent = start([...args, ...host, '--output', 'none']);
    // The first cycle begins at once and hangs.
    await agent.shows(/polling begins/);

    agent.kill('SIGTERM');
    await agent.shows(/stopping, the cycle in hand is finished/);
    const early = agent.child.exitCode;
    agent.kill('SIGTERM');
    const { code } = await agent.ended;

    expect(early).toBeNull();
    expect(code).toBe(0);
  });

  it('lets go of the cycle when the grace period is over', async () => {
    const args = configured({
      conf: `[DEFAULT]\nplugins = ${pluginFile('misbehaves')}\ngraceful_shutdown_timeout = 1\n`,
      polling: 'sources:\n  - {name: all, interval: 60, meters: ["bad.hangs"]}\n',
    });
    const agent = start([...args, ...host, '--output', 'none']);
    await agent.shows(/polling begins/);

    agent.kill('SIGTERM');
    const { code } = await agent.ended;

    expect(code).toBe(0);
  });

  it('takes a new configuration on SIGHUP, and keeps the old one when the new one is wrong', async () => {
    const agent = start([...configured({ polling: everySecond }), ...host, '--output', 'jsonl']);
    await agent.shows(/hardware\.memory\.total/);

    writeFileSync(join(folder, 'polling.yaml'), 'sources: nonsense\n');
    agent.kill('SIGHUP');
    await agent.shows(/the new configuration is wrong, the old one goes on/);
    const lines = agent.stdout.split('\n').length;
    await eventually(() => agent.stdout.split('\n').length).toBeGreaterThan(lines);
    writeFileSync(join(folder, 'polling.yaml'), everySecond.replace('memory.total', 'cpu.load.1min'));
    agent.kill('SIGHUP');

    await agent.shows(/hardware\.cpu\.load\.1min/);
    agent.kill('SIGTERM');
    expect((await agent.ended).code).toBe(0);
  });

  it('keeps its heartbeat over a reload, and from a run that polls once beside it', async () => {
    const args = [...configured({ conf: `heartbeat_socket_dir = ${folder}\n`, polling: everySecond }), ...host];
    const agent = start([...args, '--output', 'none']);
    await agent.shows(/cycle done/);

    agent.kill('SIGHUP');
    await agent.shows(/configuration reloaded/);
    const { code } = await run('polling', [...args, '--once', '--output', 'none']);

    const beats = () => text(connect(join(folder, 'ceilometer-host.socket')));
    await eventually(beats).toContain('hardware.memory.total');
    expect(code).toBe(0);
    agent.kill('SIGTERM');
    expect((await agent.ended).code).toBe(0);
  });

  it('tells what is odd about a configuration at a reload, too', async () => {
    const args = configured({ polling: everySecond });
    const agent = start([...args, ...host, '--output', 'none']);
    await agent.shows(/cycle done/);

    configured({ conf: 'batch_sise = 5\n', polling: everySecond });
    agent.kill('SIGHUP');

    await agent.shows(/batch_sise.*batch_size/);
    agent.kill('SIGTERM');
    expect((await agent.ended).code).toBe(0);
  });

  it('logs to a file, and to a new one after a rotation', async () => {
    const log = join(folder, 'agent.log');
    const agent = start([...configured({ polling: everySecond }), ...host, '--output', 'jsonl', '--log-file', log]);
    await agent.shows(/hardware\.memory\.total/);

    agent.kill('SIGTERM');
    const { stderr } = await agent.ended;

    expect(stderr).toBe('');
    expect(readFileSync(log, 'utf8')).toContain('stopping');
  });

  it('ends quietly when nobody reads its output any more', async () => {
    const agent = start([...configured({ polling: everySecond }), ...host, '--output', 'jsonl']);
    await agent.shows(/hardware\.memory\.total/);

    agent.child.stdout?.destroy();
    const { code, stderr } = await agent.ended;

    expect(code).toBe(0);
    expect(stderr).not.toContain('EPIPE');
  });
});

it('ends with the code of a bug, and not that of a wrong configuration, after an exception outside of any promise', async () => {
  const agent = start([...configured({ conf: `[DEFAULT]\nplugins = ${pluginFile('throws-later')}\n` }), ...host]);

  const { code, stderr } = await agent.ended;

  expect(code).toBe(70);
  expect(stderr).toMatch(/^ceilometer-polling: this is a bug: Error: too late for anybody to catch$/m);
});

describe('a run that polls once', () => {
  const hanging = `[DEFAULT]\nplugins = ${pluginFile('misbehaves')}\n`;

  it('ends quietly when nobody reads its output any more', async () => {
    const agent = start([...configured({ conf: hanging }), ...host, '--once', '--output', 'jsonl']);
    agent.child.stdout?.destroy();

    const { code, stderr } = await agent.ended;

    expect(code).toBe(0);
    expect(stderr).not.toMatch(/EPIPE|interrupted/);
  });

  it('says in one line that a signal ended it', async () => {
    const agent = start([...configured({ conf: hanging }), ...host, '--once', '--output', 'jsonl']);
    await agent.shows(/hardware\.memory\.total/);

    agent.kill('SIGINT');
    const { code, stderr } = await agent.ended;

    expect(code).toBe(1);
    expect(stderr).toMatch(/^ceilometer-polling: interrupted$/m);
    expect(stderr).not.toMatch(/ at .*service/);
  });
});

describe('ceilometer', () => {
  it('shows this machine in a table and ends at once on Ctrl-C', async () => {
    const agent = new AgentProcess('ceilometer', ['up', '--output', 'table', '--port', '0'], {
      XDG_STATE_HOME: folder,
    });
    agents.push(agent);
    await agent.shows(/hardware\.memory\.total[\s\S]*samples/);

    agent.kill('SIGINT');
    const { code } = await agent.ended;

    expect(code).toBe(0);
  });

  it('lists plugins with namespace, meter, type, unit and package', async () => {
    const { code, stdout } = await run('ceilometer', [
      'plugins',
      ...configured({ conf: `[DEFAULT]\nplugins = ${pluginFile('good')}\n` }),
    ]);

    expect(code).toBe(0);
    expect(stdout).toMatch(/^compute +cpu +cumulative +ns +ceilometer-ts$/m);
    expect(stdout).toMatch(/^host +good\.gauge +gauge +thing +.*good\.mjs$/m);
    expect(stdout).toMatch(/^endpoint +telemetry +ceilometer-ts +telemetry\.polling$/m);
    expect(stdout).toMatch(/^endpoint +good\.logins +.*good\.mjs +identity\.authenticate$/m);
    expect(stdout).toMatch(/^trait +good\.upper +.*good\.mjs /m);
    expect(stdout).toMatch(/^publisher +good +.*good\.mjs +good:\/\/$/m);
  });

  it('says why a plugin is not found, and how to find a mistake in its syntax', async () => {
    const file = join(folder, 'half.mjs');
    writeFileSync(file, 'export default {');
    const plugins = [file, `${folder}/none.mjs`, 'plugins/half.mjs', '@acme/none'];
    const conf = `[DEFAULT]\n${plugins.map((name) => `plugins = ${name}\n`).join('')}`;

    const { stderr } = await run('ceilometer', ['plugins', ...configured({ conf })]);

    expect([...stderr.matchAll(/could not be loaded .*err="(.*)"$/gm)].map(([, reason]) => reason)).toEqual([
      'Unexpected end of input (node --check shows where)',
      'there is no such file',
      'no such package is installed beside the agent, and a file needs its absolute path',
      'no such package is installed beside the agent, and a file needs its absolute path',
    ]);
  });

  it('tells of a plugin that cannot be loaded once, and exits 1', async () => {
    const { code, stdout, stderr } = await run('ceilometer', [
      'plugins',
      ...configured({ conf: `[DEFAULT]\nplugins = ${pluginFile('throws-at-import')}\n` }),
    ]);

    expect(code).toBe(1);
    expect(stdout).toContain('hardware.memory.total');
    expect(stderr.split('could not be loaded')).toHaveLength(2);
  });

  it('prints a sample configuration that it reads back without a complaint', async () => {
    const { stdout } = await run('ceilometer', ['config', 'sample']);
    const file = join(folder, 'sample.conf');
    writeFileSync(file, stdout);

    const { code, stderr } = await run('polling', ['--config-file', file, ...host, '--once', '--output', 'none']);

    expect(stdout).toContain('#transport_url');
    expect(stderr).not.toMatch(/WARNING|ERROR/);
    expect(code).toBe(0);
  });
});
