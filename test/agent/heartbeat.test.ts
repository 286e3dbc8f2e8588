import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { heartbeatOpener, openHeartbeat } from '../../src/agent/heartbeat.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'heartbeat-'));
});

afterEach(() => rmSync(folder, { recursive: true }));

describe('heartbeatOpener', () => {
  it('keeps the socket while one of those who share it is left', async () => {
    const open = heartbeatOpener();
    const first = await open(folder, ['host']);
    const second = await open(folder, ['host']);
    second.value.beat('cpu', Date.UTC(2026, 0, 1));

    await first.release();
    const told = await text(connect(join(folder, 'ceilometer-host.socket')));
    await second.release();

    expect(told).toBe('cpu 2026-01-01T00:00:00');
    expect(existsSync(join(folder, 'ceilometer-host.socket'))).toBe(false);
  });

  it('tries again after a folder that was not there', async () => {
    const open = heartbeatOpener();
    const later = join(folder, 'later');
    await expect(open(later, ['host'])).rejects.toThrow('cannot listen on');
    mkdirSync(later);

    const { release } = await open(later, ['host']);

    await release();
  });
});

describe('openHeartbeat', () => {
  it('tells whoever connects when each pollster last succeeded', async () => {
    const heartbeat = await openHeartbeat(folder, ['host', 'compute']);
    heartbeat.beat('cpu', Date.UTC(2026, 0, 1));
    heartbeat.beat('cpu', Date.UTC(2026, 0, 2));
    heartbeat.beat('memory', Date.UTC(2026, 0, 3, 4, 5, 6, 7));

    const told = await text(connect(join(folder, 'ceilometer-compute-host.socket')));
    await heartbeat.close();

    expect(told).toBe('cpu 2026-01-02T00:00:00\nmemory 2026-01-03T04:05:06.007000');
  });

  it('takes the place of a socket that a killed agent left behind', async () => {
    writeFileSync(join(folder, 'ceilometer-host.socket'), '');

    const heartbeat = await openHeartbeat(folder, ['host']);

    await heartbeat.close();
  });

  it('names the option when it cannot listen', async () => {
    await expect(openHeartbeat(join(folder, 'missing'), ['host'])).rejects.toThrow(
      /^\[polling\] heartbeat_socket_dir: cannot listen on .*missing\/ceilometer-host\.socket: /,
    );
  });
});
