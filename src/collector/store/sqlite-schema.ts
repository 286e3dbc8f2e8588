/** The tables in SQLite, version by version. */

/** Half an hour: samples of a meter lie together for so long, and a cycle changes few pages. */
export const BUCKET = 1_800_000_000;

/** The statements that lead from each version to the next. Those that were released never change. */
export const versions: readonly string[] = [
  `
  CREATE TABLE meters (
    id INTEGER PRIMARY KEY, key BLOB NOT NULL UNIQUE, used INTEGER NOT NULL,
    name TEXT NOT NULL, type TEXT NOT NULL, unit TEXT NOT NULL
  );
  CREATE INDEX meters_name ON meters (name);
  CREATE TABLE resources (
    id INTEGER PRIMARY KEY, key BLOB NOT NULL UNIQUE, used INTEGER NOT NULL,
    resource_id TEXT NOT NULL, project_id TEXT, project_name TEXT, user_id TEXT, user_name TEXT, source TEXT NOT NULL
  );
  CREATE INDEX resources_resource_id ON resources (resource_id);
  CREATE TABLE metadata (
    id INTEGER PRIMARY KEY, key BLOB NOT NULL UNIQUE, used INTEGER NOT NULL, body TEXT NOT NULL
  );
  CREATE TABLE series (
    meter INTEGER NOT NULL, resource INTEGER NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL,
    samples INTEGER NOT NULL, rhythm INTEGER, step INTEGER,
    gaps INTEGER NOT NULL, gap_start INTEGER, gap_end INTEGER, metadata INTEGER NOT NULL,
    PRIMARY KEY (meter, resource)
  ) WITHOUT ROWID;
  CREATE INDEX series_resource ON series (resource);
  CREATE TABLE metadata_changes (
    resource INTEGER NOT NULL, meter INTEGER NOT NULL, since INTEGER NOT NULL, metadata INTEGER NOT NULL,
    PRIMARY KEY (resource, meter, since)
  ) WITHOUT ROWID;
  CREATE TABLE samples (
    bucket INTEGER NOT NULL, meter INTEGER NOT NULL, resource INTEGER NOT NULL, id BLOB NOT NULL,
    -- Microseconds from the middle of the bucket: four bytes.
    offset INTEGER NOT NULL, metadata INTEGER NOT NULL,
    -- An integer of 64 bits, a float, or a longer integer as text.
    volume NOT NULL,
    PRIMARY KEY (bucket, meter, resource, id)
  ) WITHOUT ROWID;
  CREATE TABLE seen (day INTEGER NOT NULL, id BLOB NOT NULL, PRIMARY KEY (day, id)) WITHOUT ROWID;
  CREATE TABLE agents (
    agent TEXT NOT NULL, source TEXT NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL,
    samples INTEGER NOT NULL, rhythm INTEGER, step INTEGER,
    gaps INTEGER NOT NULL, gap_start INTEGER, gap_end INTEGER,
    PRIMARY KEY (agent, source)
  ) WITHOUT ROWID;
  `,
];
