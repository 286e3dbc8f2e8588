import { readFile } from 'node:fs/promises';

let known: Promise<string | undefined> | undefined;

/** Names the time since this machine was started; undefined where the system does not tell. */
export function bootId(): Promise<string | undefined> {
  known ??= readFile('/proc/sys/kernel/random/boot_id', 'utf8').then(
    (text) => text.trim(),
    () => undefined,
  );
  return known;
}
