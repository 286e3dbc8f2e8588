import type { CoordinationBackend } from './backend.ts';
import { parseBackendUrl, wrong } from './backend-url.ts';
import { etcdBackend } from './backends/etcd.ts';
import { fileBackend } from './backends/file.ts';
import { redisBackend } from './backends/redis.ts';

const backends = {
  'etcd3+http': etcdBackend,
  'etcd3+https': etcdBackend,
  file: fileBackend,
  redis: redisBackend,
} as const;

/** Throws {@link ConfigError} where the URL is wrong; does no I/O. */
export function openBackend(url: string, member: string): CoordinationBackend {
  const parsed = parseBackendUrl(url);
  const open = Object.hasOwn(backends, parsed.scheme) ? backends[parsed.scheme as keyof typeof backends] : undefined;
  if (open === undefined) {
    throw wrong(`no backend ${parsed.scheme} (known: ${Object.keys(backends).join(', ')})`);
  }
  return open(parsed, member);
}
