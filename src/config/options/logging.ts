import type { OptionGroup } from '../option.ts';

const python = "it configures Python's logging";
const rotation = 'log files are not rotated by the agent: use logrotate or the journal';
const rateLimit = 'log lines are not rate limited: repeated faults are logged once per change of state';
const noSyslog = 'logs go to standard error or to a file; systemd takes the former into the journal';

export const loggingOptions = {
  debug: { type: 'boolean', default: false, help: 'Log at level debug instead of info.' },
  log_file: {
    type: 'string',
    deprecated: [['DEFAULT', 'logfile']],
    help: 'File that log lines go to instead of standard error. Relative to log_dir when that is set.',
  },
  log_dir: {
    type: 'string',
    deprecated: [['DEFAULT', 'logdir']],
    help: 'Directory of log_file. Without log_file, the file is named after the program.',
  },
  use_json: { type: 'boolean', default: false, help: 'Write each log line as a JSON object.' },
  use_stderr: { type: 'boolean', default: false, help: 'Log to standard error even if there is a log file.' },
  log_config_append: {
    type: 'string',
    deprecated: [['DEFAULT', 'log_config']],
    noEffect: python,
    help: "Configuration file of Python's logging.",
  },
  log_date_format: { type: 'string', default: '%Y-%m-%d %H:%M:%S', noEffect: python, help: 'Format of dates in logs.' },
  use_syslog: { type: 'boolean', default: false, noEffect: noSyslog, help: 'Log to syslog.' },
  syslog_log_facility: { type: 'string', default: 'LOG_USER', noEffect: noSyslog, help: 'Facility of syslog lines.' },
  use_journal: { type: 'boolean', default: false, noEffect: noSyslog, help: 'Log to the systemd journal.' },
  log_color: {
    type: 'boolean',
    default: false,
    noEffect: 'log lines have no colour',
    help: 'Colour log lines by level.',
  },
  log_rotate_interval: { type: 'integer', default: 1, noEffect: rotation, help: 'Time between rotations.' },
  log_rotate_interval_type: {
    type: 'string',
    default: 'days',
    noEffect: rotation,
    help: 'Unit of log_rotate_interval.',
  },
  max_logfile_count: { type: 'integer', default: 30, noEffect: rotation, help: 'Most rotated files to keep.' },
  max_logfile_size_mb: { type: 'integer', default: 200, noEffect: rotation, help: 'Size at which to rotate.' },
  log_rotation_type: { type: 'string', default: 'none', noEffect: rotation, help: 'When to rotate.' },
  logging_context_format_string: {
    type: 'string',
    default:
      '%(asctime)s.%(msecs)03d %(process)d %(levelname)s %(name)s [%(global_request_id)s %(request_id)s %(user_identity)s] %(instance)s%(message)s',
    noEffect: python,
    help: 'Format of lines with a request context.',
  },
  logging_default_format_string: {
    type: 'string',
    default: '%(asctime)s.%(msecs)03d %(process)d %(levelname)s %(name)s [-] %(instance)s%(message)s',
    noEffect: python,
    help: 'Format of lines without a request context.',
  },
  logging_debug_format_suffix: {
    type: 'string',
    default: '%(funcName)s %(pathname)s:%(lineno)d',
    noEffect: python,
    help: 'What debug lines have at their end.',
  },
  logging_exception_prefix: {
    type: 'string',
    default: '%(asctime)s.%(msecs)03d %(process)d ERROR %(name)s %(instance)s',
    noEffect: python,
    help: 'What each line of a stack trace starts with.',
  },
  logging_user_identity_format: {
    type: 'string',
    default: '%(user)s %(project)s %(domain)s %(system_scope)s %(user_domain)s %(project_domain)s',
    noEffect: python,
    help: 'Format of the user in a line with a request context.',
  },
  default_log_levels: {
    type: 'list',
    default: [],
    shownDefault: "oslo.log's list",
    noEffect: python,
    help: 'Levels of single Python loggers.',
  },
  publish_errors: {
    type: 'boolean',
    default: false,
    noEffect: 'errors are logged, not sent as notifications',
    help: 'Send errors as notifications.',
  },
  instance_format: {
    type: 'string',
    default: '[instance: %(uuid)s] ',
    noEffect: python,
    help: 'Format of an instance.',
  },
  instance_uuid_format: {
    type: 'string',
    default: '[instance: %(uuid)s] ',
    noEffect: python,
    help: 'Format of the UUID of an instance.',
  },
  rate_limit_interval: {
    type: 'integer',
    default: 0,
    noEffect: rateLimit,
    help: 'Seconds over which lines are limited.',
  },
  rate_limit_burst: { type: 'integer', default: 0, noEffect: rateLimit, help: 'Most lines in that time.' },
  rate_limit_except_level: {
    type: 'string',
    default: 'CRITICAL',
    noEffect: rateLimit,
    help: 'Level that is never limited.',
  },
  fatal_deprecations: {
    type: 'boolean',
    default: false,
    noEffect: 'a deprecated option is a warning',
    help: 'Fail on deprecated features.',
  },
} as const satisfies OptionGroup;
