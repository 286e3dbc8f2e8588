/** A real domain on its way from one libvirtd to another. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, expect, it } from 'vitest';
import { createInspector } from '../../src/libvirt/create-inspector.ts';
import type { DomainEdge, VirtInspector } from '../../src/libvirt/inspector.ts';
import { createDomains } from '../helpers/domains.ts';
import { eventually } from '../helpers/eventually.ts';
import { describeWithLibvirtd, type Libvirtd, startLibvirtd } from '../helpers/libvirtd.ts';
import { recordingLog } from '../helpers/recording-log.ts';

const run = promisify(execFile);
const NAME = 'mover';

describeWithLibvirtd('a domain that migrates', () => {
  const closers: (() => Promise<void> | void)[] = [];

  afterEach(async () => {
    for (const close of closers.splice(0).reverse()) await close();
  });

  /** A libvirtd and an inspector that watches it. */
  async function host() {
    const libvirtd = await startLibvirtd();
    closers.push(() => libvirtd.close());
    const inspector = createInspector({ uri: libvirtd.uri, log: recordingLog() });
    closers.push(() => inspector.close());
    const stop = new AbortController();
    closers.push(() => stop.abort());
    const edges: DomainEdge[] = [];
    inspector.watch?.((edge) => edges.push(edge), stop.signal);
    await inspector.domains(stop.signal);
    return { libvirtd, inspector, edges };
  }

  async function migrate(from: Libvirtd, to: Libvirtd): Promise<void> {
    const [source, target] = [from, to].map(({ socket }) => `qemu+unix:///system?socket=${socket}`);
    const way = ['--migrateuri', `unix://${join(from.folder, 'migration')}`];
    // The disk is in a folder that both see. At a MiB a second it takes long enough to be looked at.
    const options = ['--live', '--unsafe', ...way, '--bandwidth', '1'];
    await run('virsh', ['-c', source ?? '', 'migrate', NAME, target ?? '', ...options]);
  }

  const { signal } = new AbortController();
  const runs = async (inspector: VirtInspector) =>
    (await inspector.domains(signal)).some(({ name, id }) => name === NAME && id > 0);

  it('is of one host at any time, and is read whole when it leaves the one and goes on at the other', async () => {
    const from = await host();
    const to = await host();
    await createDomains(from.libvirtd, [{ name: NAME, disks: ['raw'], nics: ['bridge'] }]);
    await eventually(() => runs(from.inspector)).toBe(true);

    let over = false;
    const migration = migrate(from.libvirtd, to.libvirtd).finally(() => {
      over = true;
    });
    const seen = { waiting: 0, early: 0 };
    while (!over) {
      const listed = await runs(to.inspector);
      const [, state = ''] = /\bmover +(\S+)/.exec(await to.libvirtd.virsh(['list', '--all'])) ?? [];
      if (state === 'paused') seen[listed ? 'early' : 'waiting'] += 1;
    }
    await migration;
    await eventually(() => runs(to.inspector)).toBe(true);
    await eventually(() => runs(from.inspector)).toBe(false);
    await eventually(() => to.edges.length).toBe(1);

    expect(seen).toEqual({ waiting: expect.any(Number), early: 0 });
    expect(seen.waiting).toBeGreaterThan(0);
    expect(from.edges.map(({ kind }) => kind)).toEqual(['start', 'end']);
    expect(to.edges.map(({ kind }) => kind)).toEqual(['start']);
    for (const edge of [from.edges[1], to.edges[0]]) {
      expect(edge?.stats).toMatchObject({
        vcpus: [{ time: expect.any(BigInt) }],
        disks: [{ readBytes: expect.any(BigInt) }],
        nics: [{ rxBytes: expect.any(BigInt) }],
      });
    }
  });
});
