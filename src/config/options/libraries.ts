import { notYet, type OptionGroup } from '../option.ts';

const dogpile = 'the cache is not one of dogpile.cache';
const locks = 'nothing is locked between processes';
const reports = 'there are no Guru Meditation reports';
const privsep = 'nothing runs through privsep';

/** oslo.cache, which upstream asks for the names of projects and users. */
export const cacheOptions = {
  enabled: { type: 'boolean', default: false, noEffect: notYet, help: 'Cache the names of projects and users.' },
  backend: { type: 'string', default: 'dogpile.cache.null', noEffect: notYet, help: 'Where the cache is kept.' },
  expiration_time: { type: 'integer', default: 600, noEffect: notYet, help: 'Seconds that an entry is good for.' },
  memcache_servers: { type: 'list', default: ['localhost:11211'], noEffect: notYet, help: 'Memcached servers.' },
  redis_server: { type: 'string', default: 'localhost:6379', noEffect: notYet, help: 'Redis server.' },
  redis_db: { type: 'integer', default: 0, noEffect: notYet, help: 'Database on the Redis server.' },
  redis_sentinels: { type: 'list', default: ['localhost:26379'], noEffect: notYet, help: 'Redis sentinels.' },
  redis_sentinel_service_name: {
    type: 'string',
    default: 'mymaster',
    noEffect: notYet,
    help: 'Name of their service.',
  },
  username: {
    type: 'string',
    deprecated: [
      ['cache', 'memcache_username'],
      ['cache', 'redis_username'],
    ],
    noEffect: notYet,
    help: 'User on the cache servers.',
  },
  password: {
    type: 'string',
    secret: true,
    deprecated: [
      ['cache', 'memcache_password'],
      ['cache', 'redis_password'],
    ],
    noEffect: notYet,
    help: 'Password on the cache servers.',
  },
  tls_enabled: { type: 'boolean', default: false, noEffect: notYet, help: 'Talk to the cache servers over TLS.' },
  tls_cafile: { type: 'string', noEffect: notYet, help: 'Authorities that the cache servers are checked against.' },
  tls_certfile: { type: 'string', noEffect: notYet, help: 'Certificate shown to the cache servers.' },
  tls_keyfile: { type: 'string', noEffect: notYet, help: 'Private key of that certificate.' },
  tls_allowed_ciphers: { type: 'string', noEffect: notYet, help: 'Ciphers that may be used.' },
  socket_timeout: {
    type: 'float',
    default: 1,
    deprecated: [
      ['cache', 'memcache_socket_timeout'],
      ['cache', 'redis_socket_timeout'],
    ],
    noEffect: notYet,
    help: 'Seconds that a request to a cache server has.',
  },
  config_prefix: {
    type: 'string',
    default: 'cache.oslo',
    noEffect: dogpile,
    help: 'Prefix of the settings of dogpile.',
  },
  backend_expiration_time: { type: 'integer', noEffect: dogpile, help: 'Seconds after which the backend purges.' },
  backend_argument: { type: 'multi', default: [], secret: true, noEffect: dogpile, help: 'Arguments of the backend.' },
  proxies: { type: 'list', default: [], noEffect: dogpile, help: 'Proxy classes of the backend.' },
  debug_cache_backend: { type: 'boolean', default: false, noEffect: dogpile, help: 'Log every call of the backend.' },
  memcache_dead_retry: {
    type: 'integer',
    default: 300,
    noEffect: dogpile,
    help: 'Seconds that a server counts as dead.',
  },
  memcache_pool_maxsize: { type: 'integer', default: 10, noEffect: dogpile, help: 'Most connections of the pool.' },
  memcache_pool_unused_timeout: { type: 'integer', default: 60, noEffect: dogpile, help: 'Life of idle connections.' },
  memcache_pool_connection_get_timeout: {
    type: 'integer',
    default: 10,
    noEffect: dogpile,
    help: 'Seconds to wait for a connection.',
  },
  memcache_pool_flush_on_reconnect: { type: 'boolean', default: false, noEffect: dogpile, help: 'Flush on reconnect.' },
  memcache_sasl_enabled: { type: 'boolean', default: false, noEffect: dogpile, help: 'Log in with SASL.' },
  enable_socket_keepalive: { type: 'boolean', default: false, noEffect: dogpile, help: 'Keep sockets alive.' },
  socket_keepalive_idle: { type: 'integer', default: 1, noEffect: dogpile, help: 'Seconds before the first probe.' },
  socket_keepalive_interval: { type: 'integer', default: 1, noEffect: dogpile, help: 'Seconds between probes.' },
  socket_keepalive_count: { type: 'integer', default: 1, noEffect: dogpile, help: 'Probes before giving up.' },
  enable_retry_client: { type: 'boolean', default: false, noEffect: dogpile, help: 'Retry calls of pymemcache.' },
  retry_attempts: { type: 'integer', default: 2, noEffect: dogpile, help: 'Attempts of a call.' },
  retry_delay: { type: 'float', default: 0, noEffect: dogpile, help: 'Seconds between attempts.' },
  hashclient_retry_attempts: {
    type: 'integer',
    default: 2,
    noEffect: dogpile,
    help: 'Attempts before a server is dead.',
  },
  hashclient_retry_timeout: {
    type: 'float',
    default: 1,
    deprecated: [['cache', 'hashclient_retry_delay']],
    noEffect: dogpile,
    help: 'Seconds between these attempts.',
  },
  hashclient_dead_timeout: {
    type: 'float',
    default: 60,
    deprecated: [['cache', 'dead_timeout']],
    noEffect: dogpile,
    help: 'Seconds before a dead server is tried again.',
  },
} as const satisfies OptionGroup;

export const concurrencyOptions = {
  lock_path: { type: 'string', noEffect: locks, help: 'Directory of lock files.' },
  disable_process_locking: { type: 'boolean', default: false, noEffect: locks, help: 'Do not lock between processes.' },
} as const satisfies OptionGroup;

export const reportsOptions = {
  log_dir: { type: 'string', noEffect: reports, help: 'Directory of reports.' },
  file_event_handler: { type: 'string', noEffect: reports, help: 'File whose change makes a report.' },
  file_event_handler_interval: {
    type: 'integer',
    default: 1,
    noEffect: reports,
    help: 'Seconds between two looks at it.',
  },
} as const satisfies OptionGroup;

export const privsepOptions = {
  user: { type: 'string', noEffect: privsep, help: 'User of the privsep daemon.' },
  group: { type: 'string', noEffect: privsep, help: 'Group of the privsep daemon.' },
  capabilities: { type: 'list', default: [], noEffect: privsep, help: 'Capabilities that it keeps.' },
  thread_pool_size: { type: 'integer', noEffect: privsep, help: 'Threads that it runs.' },
  helper_command: { type: 'string', noEffect: privsep, help: 'Command that starts it.' },
  logger_name: { type: 'string', default: 'oslo_privsep.daemon', noEffect: privsep, help: 'Name of its logger.' },
  log_daemon_traceback: { type: 'boolean', default: false, noEffect: privsep, help: 'Log its stack traces.' },
} as const satisfies OptionGroup;
