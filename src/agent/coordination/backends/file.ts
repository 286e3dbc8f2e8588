/** Members as files in a directory of this host, which they touch: `<path>/ceilometer/<hash of the group>/<member>`. */
import { createHash } from 'node:crypto';
import { mkdir, open, readdir, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { codeOf } from '../../../errors.ts';
import type { CoordinationBackend } from '../backend.ts';
import { type BackendUrl, UrlOptions, wrong } from '../backend-url.ts';

const LEASE = 10_000;
/** Leases after which somebody removes what a killed member left. */
const FORGOTTEN = 10;

/** The options `timeout` and `membership_timeout`. */
export function fileBackend(url: BackendUrl, member: string): CoordinationBackend {
  const { path, shown } = url;
  if (url.host !== '' || path === '') throw wrong('expected file:///path/of/a/directory');
  const options = new UrlOptions(url, ['timeout', 'membership_timeout']);
  const lease = options.milliseconds(['membership_timeout', 'timeout'], LEASE);
  const folderOf = (group: string) => join(path, 'ceilometer', createHash('sha1').update(group).digest('hex'));

  async function syncGroup(group: string): Promise<readonly string[]> {
    const folder = folderOf(group);
    await mkdir(folder, { recursive: true });
    await touch(join(folder, member));
    const members: string[] = [];
    for (const name of await readdir(folder)) {
      const age = name === member ? 0 : await ageOf(join(folder, name));
      if (age !== undefined && Math.abs(age) <= lease) members.push(name);
      else if (age !== undefined && age > FORGOTTEN * lease) await remove(join(folder, name));
    }
    return members;
  }

  return {
    shown,
    lease,
    async sync(groups) {
      const members = new Map<string, readonly string[]>();
      for (const group of groups) members.set(group, await syncGroup(group));
      return members;
    },
    async leave(groups) {
      for (const group of groups) await remove(join(folderOf(group), member));
    },
    close: async () => {},
  };
}

async function touch(path: string): Promise<void> {
  const file = await open(path, 'a', 0o640);
  try {
    const now = Date.now() / 1000;
    await file.utimes(now, now);
  } finally {
    await file.close();
  }
}

/** Milliseconds; undefined when the file has gone. */
async function ageOf(path: string): Promise<number | undefined> {
  try {
    return Date.now() - (await stat(path)).mtimeMs;
  } catch (err) {
    if (codeOf(err) === 'ENOENT') return undefined;
    throw err;
  }
}

async function remove(path: string): Promise<void> {
  try {
    await unlink(path);
  } catch (err) {
    if (codeOf(err) !== 'ENOENT') throw err;
  }
}
