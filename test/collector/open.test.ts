import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { openCollector } from '../../src/collector/open.ts';
import { openStore } from '../../src/collector/store/open.ts';
import { type ConfigSources, loadConfig } from '../../src/config/load.ts';
import { freePorts } from '../helpers/ports.ts';
import { recordingLog } from '../helpers/recording-log.ts';

describe('opening a store', () => {
  it.each([
    ['mysql://u:secret@h/d', /^\[database\] connection: expected postgresql:.* or sqlite:\/\/\/PATH, got mysql:\/\/$/],
    ['/var/lib/x.db', /got no URL$/],
    ['sqlite://x.db', /expected three slashes before the path/],
    ['sqlite:///', /names no file$/],
    ['postgresql://u:p/ss@h/d', /cannot be read as a URL: special characters have to be escaped$/],
    ['sqlite:////dev/null/none/x.db', /^\/dev\/null\/none cannot be made: /],
  ])('refuses %s without telling the password', async (connection, message) => {
    const refused = await openStore(connection, '/nonexistent').catch((error: unknown) => error);

    expect(refused).toMatchObject({ code: 'ERR_CONFIG', message: expect.stringMatching(message) });
    expect(String(refused)).not.toMatch(/secret|p\/ss/);
  });

  it('does not need a PostgreSQL that is there already', async () => {
    const [port] = await freePorts(1);
    const store = await openStore(`postgresql+psycopg2://u@127.0.0.1:${port}/d`, '/nonexistent');

    expect(store.kind).toBe('postgresql');
    await expect(store.status(0)).rejects.toMatchObject({ code: 'ERR_SERVICE', message: /ECONNREFUSED/ });
    await store.close();
  });
});

describe('opening a collector', () => {
  it('makes no file when the API may not be opened', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'open-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const overrides: ConfigSources['overrides'] = { collector: { apiHost: '0.0.0.0', apiPort: 0 } };
    const { config } = loadConfig({ files: [], dirs: [], env: {}, ...(overrides && { overrides }) });
    const kill = new AbortController().signal;

    const opened = openCollector(config, { stateFolder: folder, version: '1', log: recordingLog(), kill });

    await expect(opened).rejects.toThrow(/\[collector\] api_host: 0\.0\.0\.0 can be reached by others: set api_token/);
    expect(existsSync(join(folder, 'collector.db'))).toBe(false);
  });
});
