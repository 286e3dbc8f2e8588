import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AgentProcess, run } from '../helpers/agent-process.ts';

describe('ceilometer-agent-notification', () => {
  let folder: string;
  let conf: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'ceilometer-notification-'));
    conf = join(folder, 'ceilometer.conf');
  });

  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  function configure(publishers: readonly string[], options: string): void {
    for (const [file, key] of [
      ['pipeline.yaml', 'meters'],
      ['event_pipeline.yaml', 'events'],
    ] as const) {
      const sources = [{ name: 'all', [key]: ['*'], sinks: ['out'] }];
      writeFileSync(join(folder, file), JSON.stringify({ sources, sinks: [{ name: 'out', publishers }] }));
    }
    // Nobody listens there, which an agent waits out.
    writeFileSync(conf, `[DEFAULT]\ntransport_url = rabbit://guest:guest@127.0.0.1:9/\n${options}`);
  }

  it.each(['gnocchi://', 'zaqar://?queue=q'])('has the session that %s asks for', async (publisher) => {
    configure([publisher], '[notification]\npipelines = meter\n');

    const { code, stderr } = await run('notification', ['--config-file', conf]);

    expect(code).toBe(1);
    expect(stderr).toMatch(/pipeline\.yaml:1: \[service_credentials\] auth_type is not set/);
  });

  it('has all that a plugin may ask its host for', async () => {
    const plugin = join(folder, 'plugin.mjs');
    writeFileSync(
      plugin,
      `export default {
        api: 1,
        name: 'asking',
        endpoints: {
          asking: (host) => {
            const kept = host.state('asking.kept');
            const inspector = host.inspector();
            process.stderr.write(\`asked \${typeof kept} \${typeof inspector} \${host.hostname}\\n\`);
            return { eventTypes: ['x'], process: () => [] };
          },
        },
      };`,
    );
    configure(['test://'], `host = here\nplugins = ${plugin}\n`);
    const agent = new AgentProcess('notification', ['--config-file', conf]);

    await agent.shows(/asked object object here/);
    await agent.shows(/no connection to the message broker/);
    agent.kill('SIGTERM');

    const { code, stderr } = await agent.ended;
    expect(code).toBe(0);
    expect(stderr).not.toMatch(/left out/);
  });
});
