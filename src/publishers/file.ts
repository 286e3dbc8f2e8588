/** `file:///path[?json][&max_bytes=N&backup_count=M]`: one record on each line. */
import { ConfigError } from '../errors.ts';
import { UrlOptions } from '../pipeline/publisher-url.ts';
import type { Publisher, PublisherUrl } from '../plugin.ts';
import { openAppendFile } from './append-file.ts';
import { eventDictJson, eventRepr, sampleJson, sampleRepr } from './records.ts';

export async function filePublisher(url: PublisherUrl): Promise<Publisher> {
  const options = new UrlOptions(url);
  const json = options.has('json');
  const maxBytes = options.integer('max_bytes', 0);
  const backups = options.integer('backup_count', 0);
  options.refuseOthers();
  if (url.path === '' || url.path === '/') throw new ConfigError(`${url.shown}: expected a path after file://`);
  if (url.authority !== '') throw new ConfigError(`${url.shown}: expected three slashes after file:`);
  // Upstream rotates only where both are given.
  const rotation = maxBytes > 0 && backups > 0 ? { maxBytes, backups } : undefined;
  const file = await openAppendFile(url.path, rotation).catch((error: unknown) => {
    throw new ConfigError(`${url.shown}: cannot be opened`, { cause: error });
  });
  return {
    readsAtOnce: true,
    publishSamples: (batch) => file.append(batch, json ? sampleJson : sampleRepr),
    publishEvents: (batch) => file.append(batch, json ? eventDictJson : eventRepr),
    close: () => file.close(),
  };
}
