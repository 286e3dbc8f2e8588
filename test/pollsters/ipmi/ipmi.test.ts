import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import ipmi from '../../../src/pollsters/ipmi/index.ts';
import { collect, fakeHost, pollContext } from '../../../src/testing.ts';

const fixture = (name: string) => fileURLToPath(new URL(`../../fixtures/ipmi/${name}.txt`, import.meta.url));

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ipmi-'));
  vi.stubEnv('PATH', `${folder}:/usr/bin:/bin`);
});

afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

/** An ipmitool that does this. */
function tool(script: string): void {
  const path = join(folder, 'ipmitool');
  writeFileSync(path, `#!/bin/sh\n${script}\n`);
  chmodSync(path, 0o755);
}

async function poll(name: string) {
  const host = fakeHost({ hostname: 'cn1' });
  const pollster = await ipmi.pollsters?.['ipmi']?.[`hardware.ipmi.${name}`]?.(host);
  if (pollster === undefined) throw new Error(`there is no pollster ${name}`);
  return collect(pollster, [{ id: 'cn1' }], pollContext({ host }));
}

describe('a sensor', () => {
  it('is told of with its own unit; one that reads nothing, or nothing that is a number, is not', async () => {
    tool(`test "$*" = "sdr -v type Fan" && cat ${fixture('fan')}`);

    const samples = await poll('fan');

    expect(samples).toMatchObject([
      {
        resourceId: 'cn1-fan_1a_(0x30)',
        volume: 4704,
        unit: 'RPM',
        metadata: { node: 'cn1', maximum_rpm: '12000.000' },
      },
      { resourceId: 'cn1-fan_1b_(0x31)', volume: 38.5, unit: 'percent', metadata: { node: 'cn1' } },
    ]);
    expect(samples).toHaveLength(2);
  });

  it('of power is none of current, though ipmitool has it there', async () => {
    tool(`test "$1" = sdr && cat ${fixture('current')} || tail -n 5 ${fixture('current')}`);

    const [current, power] = [await poll('current'), await poll('power')];

    expect(current.map(({ volume, unit }) => [volume, unit])).toEqual([[0.4, 'Amps']]);
    expect(power.map(({ volume, unit }) => [volume, unit])).toEqual([[154, 'W']]);
  });
});

describe('ipmitool', () => {
  it.each([
    ['ERR_NO_DATA', 'has no such sensor', 'echo "Sensor data record \\"Pwr Consumption\\" not found!"; exit 1'],
    ['ERR_SERVICE', 'has no right', 'echo "open /dev/ipmi0: Permission denied" >&2; exit 1'],
    ['ERR_SERVICE', 'finds no controller', 'echo "Could not open device at /dev/ipmi0" >&2; exit 1'],
    ['ERR_SERVICE', 'ipmitool failed: Get SDR failed', 'echo "Get SDR failed" >&2; exit 1'],
  ])('that fails says why: %s, %s', async (code, message, script) => {
    tool(script);

    const work = poll('power');

    await expect(work).rejects.toMatchObject({ code, message: expect.stringContaining(message) });
  });

  it('that is not installed is named', async () => {
    vi.stubEnv('PATH', folder);

    await expect(poll('fan')).rejects.toMatchObject({ code: 'ERR_SERVICE', message: 'ipmitool is not installed' });
  });
});
