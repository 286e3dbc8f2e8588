import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { StateStore, type StateStoreOptions } from '../../src/agent/state-store.ts';
import { type RecordingLog, recordingLog } from '../helpers/recording-log.ts';
import { until } from '../helpers/until.ts';

let folder: string;
let log: RecordingLog;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'state-'));
  log = recordingLog();
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

const file = () => join(folder, 'agent.thing.json');

function store(options: Partial<StateStoreOptions> = {}, into: string | undefined = folder): StateStore {
  const made = new StateStore({ log, ...options });
  made.moveTo({ folder: into, agent: 'agent' });
  return made;
}

describe('kept state', () => {
  it('is there again in the next run', async () => {
    const first = store();
    first.state('thing').save(() => ({ seen: '18446744073709551615' }));
    await first.close();

    expect(await store().state('thing').load()).toEqual({ seen: '18446744073709551615' });
    expect(await store().state('other').load()).toBeUndefined();
    expect(log.told).toEqual([]);
  });

  it('may have iterables in the place of lists', async () => {
    const rows = function* () {
      yield ['a', 1];
      yield ['b', 2];
    };
    const first = store();
    first.state('thing').save(() => ({ rows: rows(), more: [['x', rows()]] }));

    const handedOver = await first.state('thing').load();
    await first.close();

    const expected = {
      rows: [
        ['a', 1],
        ['b', 2],
      ],
    };
    expect(handedOver).toEqual({ ...expected, more: [['x', expected.rows]] });
    expect(await store().state('thing').load()).toEqual(handedOver);
  });

  it('is written in slices, between which other things go on', async () => {
    const states = store({ writeInterval: 0 });
    let turns = 0;
    const turnsAt: number[] = [];
    const rows = function* () {
      for (let row = 0; row < 300; row++) {
        const end = performance.now() + 1;
        while (performance.now() < end);
        turnsAt.push(turns);
        yield row;
      }
    };
    const turn = () => {
      turns += 1;
      if (!existsSync(file())) setImmediate(turn);
    };

    states.state('thing').save(rows);
    turn();
    await until('it is written', () => existsSync(file()));

    expect(new Set(turnsAt).size).toBeGreaterThan(20);
    expect(await store().state('thing').load()).toHaveLength(300);
  });

  it('of before stays as it is when the next one fails in the middle', async () => {
    const states = store({ writeInterval: 0 });
    states.state('thing').save(() => 'before');
    await until('it is written', () => existsSync(file()));

    states.state('thing').save(function* () {
      yield 1;
      throw new Error('no more');
    });
    await until('it has failed', () => log.told.length > 0);

    expect(await store().state('thing').load()).toBe('before');
    expect(readdirSync(folder)).toEqual(['agent.thing.json']);
  });

  it('is handed over within a process as it is at that time, with and without a folder', async () => {
    for (const place of [folder, undefined]) {
      const states = store({}, place);
      let seen = 1;
      states.state('thing').save(() => seen);
      seen = 2;

      expect(await states.state('thing').load()).toBe(2);
    }
  });

  it('reaches the disk without waiting for the end, the first time at once and then at intervals', async () => {
    const states = store({ writeInterval: 1000 });
    let snapshots = 0;
    const save = () => states.state('thing').save(() => ++snapshots);
    save();
    await until('it is written', () => existsSync(file()));
    const first = readFileSync(file(), 'utf8');

    for (let poll = 0; poll < 50; poll += 1) save();
    const rightAfter = snapshots;
    await until('it is written again', () => readFileSync(file(), 'utf8') !== first);
    await new Promise((resolve) => setTimeout(resolve, 1500));

    expect([rightAfter, snapshots]).toEqual([1, 2]);
    await states.close();
    expect(snapshots).toBe(2);
  });

  it('goes to another folder when the configuration says so', async () => {
    const states = store({}, undefined);
    states.state('thing').save(() => 'value');

    states.moveTo({ folder, agent: 'agent' });
    await states.close();

    expect(await store().state('thing').load()).toBe('value');
  });

  it('is kept apart for agents of other namespaces', async () => {
    const states = store();
    states.state('thing').save(() => 'mine');
    await states.close();
    const other = store();
    other.moveTo({ folder, agent: 'another' });

    expect(await other.state('thing').load()).toBeUndefined();
  });

  it('may not have a name that leads elsewhere', () => {
    expect(() => store().state('../thing')).toThrow('expected a name of letters');
  });

  it.each([
    ['is cut off', '{"format":1,"name":"thing","sta', /JSON|Unterminated/],
    ['is empty', '', /JSON/],
    ['is something else', '[1, 2]', /not one of this agent/],
    ['is of a newer version', '{"format":2,"name":"thing","state":1}', /its format is 2, expected 1/],
    ['belongs to another name', '{"format":1,"name":"other","state":1}', /belongs to "other"/],
    [
      'is far too large',
      JSON.stringify({ format: 1, name: 'thing', state: 'x'.repeat(2000) }),
      /2\d{3} bytes are more than 1000/,
    ],
  ])('starts afresh with one warning when the file %s', async (_, text, reason) => {
    writeFileSync(file(), text);
    const states = store({ maxBytes: 1000 });

    expect(await states.state('thing').load()).toBeUndefined();
    expect(await states.state('thing').load()).toBeUndefined();
    expect(log.told).toEqual(['warn state of an earlier run is unusable, starting afresh']);
    expect(log.lines[0]?.fields).toMatchObject({ file: file(), reason: expect.stringMatching(reason) });
    states.state('thing').save(() => 'new');
    await states.close();
    expect(await store().state('thing').load()).toBe('new');
  });

  it('tells once that it cannot be written, and once that it can again', async () => {
    const place = join(folder, 'later');
    const states = store({ writeInterval: 1 }, place);
    let snapshots = 0;
    const save = async () => {
      const before = snapshots;
      states.state('thing').save(() => ++snapshots);
      await until('it was tried', () => snapshots > before);
    };
    await save();
    await until('it is told', () => log.told.length === 1);
    await save();
    mkdirSync(place);
    await save();
    await until('it is told', () => log.told.length === 2);
    await save();
    await states.close();

    expect(log.told).toEqual(['warn state cannot be written, a restart would lose it', 'info state is written again']);
    expect(log.lines[0]?.fields).toMatchObject({ reason: expect.stringContaining('ENOENT') });
  });

  it('is not written when it has grown too large, nor when its snapshot throws', async () => {
    const states = store({ maxBytes: 100 });
    states.state('thing').save(() => 'x'.repeat(200));
    states.state('broken').save(() => {
      throw new Error('no');
    });

    await states.close();

    expect(readdirSync(folder)).toEqual([]);
    expect(log.told).toHaveLength(2);
    expect(await states.state('broken').load()).toBeUndefined();
  });

  it('leaves no temporary files, and sweeps those of a process that was killed', async () => {
    const abandoned = `${file()}.4711.tmp`;
    const fresh = `${file()}.4712.tmp`;
    for (const path of [abandoned, fresh]) writeFileSync(path, 'half');
    utimesSync(abandoned, 0, 0);
    const states = store();
    await states.state('thing').load();
    states.state('thing').save(() => 1);
    await states.close();

    expect(readdirSync(folder).sort()).toEqual(['agent.thing.json', 'agent.thing.json.4712.tmp']);
  });

  it('is not for everybody to read', async () => {
    const before = process.umask(0);
    const states = store();
    states.state('thing').save(() => 1);
    await states.close();
    process.umask(before);

    expect(statSync(file()).mode & 0o777).toBe(0o640);
  });
});
