import { hostname } from 'node:os';
import type { OptionGroup } from '../option.ts';

const oneProcess = 'the agent runs neither green threads nor child processes';

export const agentOptions = {
  host: {
    type: 'string',
    default: hostname(),
    shownDefault: 'name of this host',
    pattern: { matches: /^[A-Za-z0-9._:-]{1,253}$/, expected: 'a host name or an IP address' },
    help: 'Name of this host as samples carry it. Nova must know the host under the same name.',
  },
  polling_namespaces: {
    type: 'list',
    default: ['compute', 'central'],
    help: 'Namespaces whose pollsters run. The command line option --polling-namespaces has precedence.',
  },
  plugins: {
    type: 'multi',
    default: [],
    own: true,
    help: 'A plugin to load beside the built-in ones: the name of an installed package, or the absolute path of a module. Repeat the key for each plugin.',
  },
  sample_source: {
    type: 'string',
    default: 'openstack',
    help: 'Value of the field "source" in every sample made here.',
  },
  reserved_metadata_namespace: {
    type: 'list',
    default: ['metering.'],
    help: 'Prefixes of the server metadata keys that samples carry as user metadata.',
  },
  reserved_metadata_keys: {
    type: 'list',
    default: [],
    help: 'Further server metadata keys that samples carry as user metadata, whatever their prefix.',
  },
  reserved_metadata_length: {
    type: 'integer',
    default: 256,
    help: 'Longest value of user metadata that samples carry; the rest of a longer one is cut off. Below 0, as many characters are cut off of each.',
  },
  graceful_shutdown_timeout: {
    type: 'integer',
    default: 60,
    min: 0,
    help: 'Seconds that a running cycle has to end after the first SIGTERM; 0 means no limit.',
  },
  state_path: {
    type: 'string',
    shownDefault: '$STATE_DIRECTORY, which systemd sets',
    pattern: { matches: /^(\/.*)?$/, expected: 'an absolute path, or nothing' },
    own: true,
    help: 'Directory for what has to survive a restart of the polling agent: the counters that deltas and rates are worked out from. Empty keeps them in memory only.',
  },
  libvirt_type: {
    type: 'string',
    default: 'kvm',
    choices: ['kvm', 'lxc', 'qemu', 'parallels'],
    help: 'Kind of domains that libvirt runs; decides which URI is used when libvirt_uri is empty.',
  },
  libvirt_uri: {
    type: 'string',
    default: '',
    help: 'URI of the libvirt connection. Empty means the usual one for libvirt_type.',
  },
  hypervisor_inspector: {
    type: 'string',
    default: 'libvirt',
    noEffect: 'libvirt is the only hypervisor driver',
    help: 'Driver that reads the hypervisor.',
  },
  max_parallel_requests: {
    type: 'integer',
    default: 64,
    min: 1,
    help: 'Most notifications worked on at a time, and most requests of a publisher over HTTP.',
  },
  reseller_prefix: {
    type: 'string',
    default: 'AUTH_',
    help: 'Prefix of Swift account names; the same as reseller_prefix of the proxy server.',
  },
  pipeline_cfg_file: {
    type: 'string',
    default: 'pipeline.yaml',
    help: 'File with the pipelines of samples.',
  },
  event_pipeline_cfg_file: {
    type: 'string',
    default: 'event_pipeline.yaml',
    help: 'File with the pipelines of events.',
  },
  rootwrap_config: {
    type: 'string',
    default: '/etc/ceilometer/rootwrap.conf',
    noEffect: 'nothing is run through rootwrap',
    help: 'Configuration of rootwrap.',
  },
  log_options: {
    type: 'boolean',
    default: true,
    noEffect: 'option values are not logged at start',
    help: 'Whether to log all option values at start.',
  },
  backdoor_port: { type: 'string', noEffect: oneProcess, help: 'Port of the eventlet backdoor.' },
  backdoor_socket: { type: 'string', noEffect: oneProcess, help: 'Unix socket of the eventlet backdoor.' },
} as const satisfies OptionGroup;
