// biome-ignore-all lint/suspicious/noTemplateCurlyInString: it is oslo.config's syntax, too.
import { chmodSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ConfigSources, type LoadedConfig, loadConfig } from '../../src/config/load.ts';
import { mistakes, tempFiles } from './temp-files.ts';

function load(files: readonly string[], rest: Partial<ConfigSources> = {}): LoadedConfig {
  return loadConfig({ files, dirs: [], env: {}, ...rest });
}

/** Loads one file of this text; warnings come back without the folder's name. */
function loadText(text: string, rest: Partial<ConfigSources> = {}): LoadedConfig {
  const folder = tempFiles({ 'c.conf': text });
  const loaded = load([join(folder, 'c.conf')], rest);
  return { ...loaded, warnings: loaded.warnings.map((warning) => warning.replaceAll(`${folder}/`, '')) };
}

function mistakesIn(text: string | Uint8Array): readonly string[] {
  const folder = tempFiles({ 'c.conf': text });
  return mistakes(folder, () => load([join(folder, 'c.conf')]));
}

describe('loadConfig', () => {
  it('has defaults for everything without any file', () => {
    const { config, warnings, files } = load([]);

    expect(warnings).toEqual([]);
    expect(files).toEqual([]);
    expect(config.default.host).toBe(hostname());
    expect(config.default.pollingNamespaces).toEqual(['compute', 'central']);
    expect(config.default.controlExchange).toBe('ceilometer');
    expect(config.polling.cfgFile).toBe('polling.yaml');
    expect(config.polling.batchSize).toBe(50);
    expect(config.polling.cycleTimeout).toBeUndefined();
    expect(config.publisher.telemetrySecret).toBe('change this for valid signing');
    expect(config.coordination.backendUrl).toBeUndefined();
    expect(config.compute.instanceDiscoveryMethod).toBe('libvirt_metadata');
    expect(config.osloMessagingRabbit.heartbeatTimeoutThreshold).toBe(60);
    expect(config.osloMessagingNotifications.topics).toEqual(['notifications']);
  });

  it('reads values of every type', () => {
    const { config, warnings } = loadText(
      '[DEFAULT]\nhost = node-1\ndebug = Yes\nplugins = a\nplugins = /b.js\n' +
        '[polling]\nbatch_size = 7\ncycle_timeout = 1.5\n[oslo_messaging_notifications]\ntopics = x, y\n',
    );

    expect(warnings).toEqual([]);
    expect(config.default).toMatchObject({ host: 'node-1', debug: true, plugins: ['a', '/b.js'] });
    expect(config.polling).toMatchObject({ batchSize: 7, cycleTimeout: 1.5 });
    expect(config.osloMessagingNotifications.topics).toEqual(['x', 'y']);
  });

  it('cannot be changed', () => {
    const { config } = loadText('[my_plugin]\nurl = x\n');

    expect(Object.isFrozen(config)).toBe(true);
    expect(Object.isFrozen(config.polling)).toBe(true);
    expect(Object.isFrozen(config.default.pollingNamespaces)).toBe(true);
    expect(Object.isFrozen(config.section('my_plugin'))).toBe(true);
    expect(Object.isFrozen(config.section('my_plugin')['url'])).toBe(true);
  });

  it('takes group names in any case, but only DEFAULT for the default group', () => {
    const { config, warnings } = loadText('[Polling]\nbatch_size = 7\n[default]\ndebug = true\n');

    expect(config.polling.batchSize).toBe(7);
    expect(config.default.debug).toBe(false);
    expect(warnings).toEqual(['c.conf:3: unknown group [default], did you mean [DEFAULT]']);
  });

  it('hands what a group says to its plugin, as written', () => {
    const { config } = loadText('[My_Plugin]\nurl = $x\nurl = y\nconstructor = z\n', {
      env: { OS_MY_PLUGIN__TOKEN: 't' },
    });

    expect({ ...config.section('my_plugin') }).toEqual({ url: ['$x', 'y'], constructor: ['z'], token: ['t'] });
    expect({ ...config.section('none') }).toEqual({});
    expect(config.section('none')['constructor']).toBeUndefined();
  });

  describe('precedence', () => {
    const files = {
      'a.conf': '[DEFAULT]\nhost = a\nplugins = a1\nplugins = a2\n[polling]\nbatch_size = 1\n',
      'b.conf': '[DEFAULT]\nhost = b\nplugins = b1\n',
      'd/20.conf': '[DEFAULT]\nhost = d20\n',
      'd/10.conf': '[DEFAULT]\nhost = d10\nplugins = d1\n[polling]\nbatch_size = 3\n',
      'd/.hidden.conf': '[DEFAULT]\nhost = hidden\n',
      'd/90.txt': '[DEFAULT]\nhost = no\n',
    };

    it('lets the later file win, and adds up multi options over all files', () => {
      const folder = tempFiles(files);

      const { config } = load([join(folder, 'a.conf'), join(folder, 'b.conf')]);

      expect(config.default.host).toBe('b');
      expect(config.default.plugins).toEqual(['a1', 'a2', 'b1']);
      expect(config.polling.batchSize).toBe(1);
    });

    it('reads *.conf of a directory by name, after the files', () => {
      const folder = tempFiles(files);

      const loaded = load([join(folder, 'a.conf')], { dirs: [join(folder, 'd')] });

      expect(loaded.config.default.host).toBe('d20');
      expect(loaded.config.default.plugins).toEqual(['a1', 'a2', 'd1']);
      expect(loaded.config.polling.batchSize).toBe(3);
      expect(loaded.files).toEqual(['a.conf', 'd/10.conf', 'd/20.conf'].map((name) => join(folder, name)));
    });

    it('lets the environment win over files, and the command line over both', () => {
      const folder = tempFiles(files);
      const env = { OS_DEFAULT__HOST: 'env', OS_POLLING__BATCH_SIZE: '9', OS_DEFAULT__PLUGINS: 'p' };

      const { config } = load([join(folder, 'a.conf')], {
        env,
        overrides: { default: { host: 'cli', debug: undefined }, polling: { enableNotifications: false } },
      });

      expect(config.default).toMatchObject({ host: 'cli', debug: false, plugins: ['p'] });
      expect(config.polling).toMatchObject({ batchSize: 9, enableNotifications: false });
    });

    it('reads the default file and directory only where none are named, and only if they exist', () => {
      const folder = tempFiles(files);
      const defaults = {
        defaultFiles: [join(folder, 'a.conf'), join(folder, 'none.conf')],
        defaultDirs: [join(folder, 'd'), join(folder, 'none.d')],
      };

      expect(load([], defaults).files).toHaveLength(3);
      expect(load([join(folder, 'b.conf')], defaults).files[0]).toBe(join(folder, 'b.conf'));
      expect(load([], { ...defaults, dirs: [folder] }).config.default.host).toBe('b');
    });

    it('looks for other files in the directories, beside the files, then in the standard places', () => {
      const folder = tempFiles(files);

      const { searchPath } = load([join(folder, 'a.conf')], { dirs: [join(folder, 'd')] });

      expect(searchPath.slice(0, 2)).toEqual([join(folder, 'd'), folder]);
      expect(searchPath).toContain('/etc/ceilometer');
    });
  });

  describe('references', () => {
    it('puts in values of the same group, of DEFAULT and of any other', () => {
      const { config } = loadText(
        '[DEFAULT]\nhost = h\nlog_file = /a/$host-$$x\\$y/${publisher.telemetry_secret}\n' +
          '[polling]\nbatch_size = 4\ncfg_file = ${host}-${batch_size}.yaml\n[publisher]\ntelemetry_secret = s\n',
      );

      expect(config.polling.cfgFile).toBe('h-4.yaml');
      expect(config.default.logFile).toBe('/a/h-$x$y/s');
    });

    it('count only where the value does', () => {
      const { config } = loadText('[DEFAULT]\nhost = $nothing\nhost = h\n');

      expect(config.default.host).toBe('h');
    });

    it('needs braces before a dot, and says so', () => {
      const found = mistakesIn('[DEFAULT]\nlog_file = $host.log\n');

      expect(found).toEqual([
        'c.conf:2: [DEFAULT] log_file: refers to "host.log", which is no option; write $$ for a dollar sign',
      ]);
    });

    it('refers to values that the environment or the command line decides', () => {
      const { config } = loadText('[DEFAULT]\nlog_file = $host/$control_exchange/$debug\n', {
        env: { OS_DEFAULT__HOST: 'env' },
        overrides: { default: { controlExchange: 'cli' } },
      });

      expect(config.default.logFile).toBe('env/cli/False');
    });

    it('refuses values that refer to themselves', () => {
      const found = mistakesIn(
        '[DEFAULT]\nhost = $log_file\nlog_file = ${polling.cfg_file}\n[polling]\ncfg_file = $host\n',
      );

      expect(found).toEqual([
        'c.conf:5: [polling] cfg_file: refers to itself: [DEFAULT] host -> [DEFAULT] log_file -> [polling] cfg_file -> [DEFAULT] host',
      ]);
    });

    it('keeps a secret with a dollar sign to itself', () => {
      const found = mistakesIn('[DEFAULT]\ntransport_url = rabbit://u:pa$sword@h/\n');

      expect(found).toEqual([
        'c.conf:2: [DEFAULT] transport_url: has a reference which is no option; write $$ for a dollar sign',
      ]);
    });
  });

  describe('mistakes', () => {
    it('tells all of them at once, each with its place', () => {
      const folder = tempFiles({
        'a.conf': 'lost = 1\n[polling]\nbatch_size = many\n\nhello\n',
        'b.conf': '[DEFAULT]\nlibvirt_type = xen\nhost = a b\n[oslo_messaging_rabbit]\nkombu_reconnect_delay = 9\n',
      });

      const found = mistakes(folder, () =>
        load([join(folder, 'a.conf'), join(folder, 'b.conf'), join(folder, 'none.conf')], {
          env: { OS_DEFAULT__DEBUG: 'maybe' },
          dirs: [join(folder, 'none.d')],
        }),
      );

      expect(found).toEqual([
        'none.d: does not exist',
        'a.conf:1: expected a section such as [DEFAULT] before the first key',
        'a.conf:5: expected "key = value", got neither = nor :',
        'none.conf: does not exist',
        'b.conf:3: [DEFAULT] host: expected a host name or an IP address, got "a b"',
        'b.conf:2: [DEFAULT] libvirt_type: expected one of kvm, lxc, qemu, parallels, got "xen"',
        'environment variable OS_DEFAULT__DEBUG: [DEFAULT] debug: expected true or false, got "maybe"',
        'a.conf:3: [polling] batch_size: expected an integer of 0 or more, got "many"',
        'b.conf:5: [oslo_messaging_rabbit] kombu_reconnect_delay: expected a number from 0 to 4.5, got "9"',
      ]);
    });

    it('are told together with what is only odd', () => {
      const found = mistakesIn('[polling]\nbatchsize = 5\n[DEFAULT]\ndebug = perhaps\n');

      expect(found).toEqual([
        'c.conf:4: [DEFAULT] debug: expected true or false, got "perhaps"',
        'c.conf:2: [polling] batchsize: unknown option, did you mean batch_size',
      ]);
    });

    it('ends a list of very many', () => {
      const found = mistakesIn(`[DEFAULT]\n${'oops\n'.repeat(100)}`);

      expect(found).toHaveLength(51);
      expect(found.at(-1)).toBe('and 50 more');
    });

    it.each([
      ['a NUL byte', Buffer.from('[DEFAULT]\nhost = a\0b\n'), 'c.conf:2: expected text, got a NUL byte'],
      [
        'other text than UTF-8',
        Buffer.from('[DEFAULT]\n# ok\nhost = \xe9\n', 'latin1'),
        'c.conf:3: expected UTF-8 text',
      ],
      ['bad text in the last line', Buffer.from('# \xff', 'latin1'), 'c.conf:1: expected UTF-8 text'],
    ])('refuses a file with %s', (_, bytes, message) => {
      expect(mistakesIn(bytes)).toEqual([message]);
    });

    it('refuses a directory in place of a file, and a file in place of a directory', () => {
      const folder = tempFiles({ 'd.conf/x': '', 'f.conf': '' });

      const asFile = mistakes(folder, () => load([join(folder, 'd.conf')]));
      const asDirectory = mistakes(folder, () => load([], { dirs: [join(folder, 'f.conf')] }));

      expect(asFile).toEqual(['d.conf: is a directory, expected a file']);
      expect(asDirectory).toEqual(['f.conf: is not a directory']);
    });

    it.skipIf(process.getuid?.() === 0)('refuses a file that may not be read', () => {
      const folder = tempFiles({ 'c.conf': '[DEFAULT]\n' });
      chmodSync(join(folder, 'c.conf'), 0);

      expect(mistakes(folder, () => load([join(folder, 'c.conf')]))).toEqual([
        'c.conf: cannot be read: permission denied',
      ]);
    });

    it('never tells the text of a line that it does not understand', () => {
      const found = mistakesIn('[DEFAULT]\ntransport_url rabbit//u-s3cret\n  s3cret\n\n  s3cret\n[s3cret\n');

      expect(found).toHaveLength(3);
      expect(found.join()).not.toContain('s3cret');
    });

    it('is the only thing that a wrong file leads to', () => {
      const text = fc.array(
        fc.constantFrom(
          '[DEFAULT]\n',
          '[polling]\n',
          'host',
          'batch_size',
          '=',
          '$',
          '${host}',
          '$log_file',
          'log_file',
          '7',
          '\n',
          ' ',
        ),
        { maxLength: 30 },
      );

      fc.assert(
        fc.property(text, (pieces) => {
          const folder = tempFiles({ 'c.conf': pieces.join('') });
          try {
            load([join(folder, 'c.conf')]);
          } catch (error) {
            expect(error).toHaveProperty('code', 'ERR_CONFIG');
          }
        }),
        { numRuns: 200 },
      );
    });
  });

  it('knows where an option stands, for what is found wrong with it later', () => {
    const { config } = loadText('[DEFAULT]\ndebug = true\ntransport_url = x\n', { env: { OS_DEFAULT__DEBUG: '1' } });

    expect(config.place('DEFAULT', 'transport_url')).toMatch(/\/c\.conf:3: \[DEFAULT\] transport_url$/);
    expect(config.place('DEFAULT', 'debug')).toBe('environment variable OS_DEFAULT__DEBUG: [DEFAULT] debug');
    expect(config.place('polling', 'batch_size')).toBe('[polling] batch_size');
  });

  describe('warnings', () => {
    it('names the option that a misspelt one probably is', () => {
      const { warnings } = loadText(
        '[polling]\nbatchsize = 5\nzzz = 1\ntelemetry_secret = s3cret\n[compte]\nx = 1\n[other]\n',
      );

      expect(warnings).toEqual([
        'c.conf:5: unknown group [compte], did you mean [compute]',
        'c.conf:2: [polling] batchsize: unknown option, did you mean batch_size',
        'c.conf:3: [polling] zzz: unknown option',
        'c.conf:4: [polling] telemetry_secret: unknown option, did you mean [publisher] telemetry_secret',
      ]);
    });

    it('names misspelt environment variables, and leaves those of others alone', () => {
      const { warnings } = load([], {
        env: {
          OS_POLLING__BATCHSIZE: '1',
          OS_DEFAULT__LOGFILE: 'x',
          OS_AUTH_URL: 'x',
          OS_OTHER__X: '1',
          PATH: '/',
          OS_POLING__X: '1',
        },
      });

      expect(warnings).toEqual([
        'environment variable OS_POLLING__BATCHSIZE: [polling] batchsize: unknown option, did you mean batch_size',
        'environment variable OS_DEFAULT__LOGFILE: [DEFAULT] logfile: unknown option, use OS_DEFAULT__LOG_FILE',
        'environment variable OS_POLING__X: unknown group [poling], did you mean [polling]',
      ]);
    });

    it('takes deprecated names, behind the current one and before those of earlier files', () => {
      const folder = tempFiles({
        'a.conf': '[DEFAULT]\nlog_file = new-a\n[oslo_messaging_rabbit]\nkombu_reconnect_timeout = 5\n',
        'b.conf': '[DEFAULT]\nlogfile = old-b\n',
        'c.conf': '[DEFAULT]\nlog_dir = new\nlogdir = old\n',
      });

      const { config, warnings } = load(['a.conf', 'b.conf', 'c.conf'].map((name) => join(folder, name)));

      expect(config.default).toMatchObject({ logFile: 'old-b', logDir: 'new' });
      expect(config.osloMessagingRabbit.kombuMissingConsumerRetryTimeout).toBe(5);
      expect(warnings.map((warning) => warning.replaceAll(`${folder}/`, ''))).toEqual([
        'a.conf:4: [oslo_messaging_rabbit] kombu_reconnect_timeout: deprecated, use [oslo_messaging_rabbit] kombu_missing_consumer_retry_timeout',
        'b.conf:2: [DEFAULT] logfile: deprecated, use [DEFAULT] log_file',
        'c.conf:3: [DEFAULT] logdir: deprecated, use [DEFAULT] log_dir',
      ]);
    });

    it('tells once for each group and reason which options were set in vain', () => {
      const { warnings } = loadText(
        '[DEFAULT]\nexecutor_thread_pool_size = 8\n[cache]\nenabled = true\nbackend = dogpile.cache.redis\n',
      );

      expect(warnings).toEqual([
        '[DEFAULT] executor_thread_pool_size is set but has no effect here: there is no thread pool',
        '[cache] enabled, backend are set but have no effect in this version',
      ]);
    });

    it('is silent about an option without effect that has its default, or is known by two names', () => {
      const { warnings } = loadText(
        '[DEFAULT]\nuse_syslog = false\npollsters_definitions_dirs = /etc/ceilometer/pollsters.d\n',
      );

      expect(warnings).toEqual([]);
    });

    it('does not refuse a start for the sake of an option without effect', () => {
      const { warnings } = loadText(
        '[DEFAULT]\nrpc_response_timeout = soon\n[oslo_concurrency]\nlock_path = $state_path/x\n',
      );

      expect(warnings).toEqual([
        '[DEFAULT] rpc_response_timeout is set but has no effect here: the agent neither makes nor answers remote calls',
        '[oslo_concurrency] lock_path is set but has no effect here: nothing is locked between processes',
      ]);
    });

    it('tells that an empty number leaves the default in force', () => {
      const { config, warnings } = loadText('[polling]\nbatch_size =\n');

      expect(config.polling.batchSize).toBe(50);
      expect(warnings).toEqual(['c.conf:2: [polling] batch_size is empty, so the default 50 holds']);
    });
  });
});
