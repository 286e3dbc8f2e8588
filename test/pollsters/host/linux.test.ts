import { describe, expect, it } from 'vitest';
import { createLinuxMachine } from '../../../src/pollsters/host/linux.ts';
import { recorded, recordingLog } from './recorded.ts';

describe('file systems on Linux', () => {
  it('of which one cannot be asked are read without it, and a log line says so once', async () => {
    const { log, lines } = recordingLog();
    let broken = true;
    const statfs = async (path: string) => {
      if (broken && path === '/boot/efi') throw new Error('permission denied');
      return { bsize: 512n, blocks: 2n ** 60n, bfree: 1n };
    };
    const machine = createLinuxMachine(recorded('hypervisor', { statfs }), log);

    const before = await machine.fileSystems();
    await machine.fileSystems();
    broken = false;
    const after = await machine.fileSystems();
    broken = true;
    await machine.fileSystems();

    expect(before.map(({ path }) => path)).toEqual(['/', '/tank/data', '/var/lib/nova/my instances']);
    expect(before[0]).toMatchObject({ total: 2n ** 69n, used: 2n ** 69n - 512n });
    expect(after).toHaveLength(4);
    expect(lines).toEqual(
      Array(2).fill({
        level: 'warn',
        fields: { path: '/boot/efi', reason: 'permission denied' },
        message: 'a file system is left out',
      }),
    );
  });

  it('without blocks are none', async () => {
    const statfs = async () => ({ bsize: 4096n, blocks: 0n, bfree: 0n });
    const machine = createLinuxMachine(recorded('vm', { statfs }), recordingLog().log);

    expect(await machine.fileSystems()).toEqual([]);
  });
});

describe('a Linux machine without its tables', () => {
  it('tells nothing and does not fail', async () => {
    const machine = createLinuxMachine(recorded('vm', { readProc: () => undefined }), recordingLog().log);

    const answers = await Promise.all([
      machine.cpu(),
      machine.ip(),
      machine.blocks(),
      machine.disks(),
      machine.interfaces(),
      machine.fileSystems(),
    ]);

    expect(answers).toEqual([undefined, undefined, undefined, [], [], []]);
  });
});
