/** The tables in PostgreSQL, version by version. */
import { DAY } from './database.ts';

/** Half an hour, in microseconds: a block has samples of no more, so that their times fit into four bytes. */
export const BUCKET = 1_800_000_000;
export const BUCKETS_IN_DAY = DAY / BUCKET;

/** The statements that lead from each version to the next. Those that were released never change. */
export const versions: readonly string[] = [
  `
  CREATE TABLE meters (
    id integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY, key bytea NOT NULL UNIQUE, used integer NOT NULL,
    name text COLLATE "C" NOT NULL, type text NOT NULL, unit text NOT NULL
  );
  CREATE INDEX meters_name ON meters (name);
  CREATE TABLE resources (
    id integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY, key bytea NOT NULL UNIQUE, used integer NOT NULL,
    resource_id text COLLATE "C" NOT NULL, project_id text COLLATE "C", project_name text, user_id text COLLATE "C",
    user_name text, source text COLLATE "C" NOT NULL
  );
  CREATE INDEX resources_resource_id ON resources (resource_id);
  CREATE TABLE metadata (
    id integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY, key bytea NOT NULL UNIQUE, used integer NOT NULL,
    body text NOT NULL
  );
  CREATE TABLE series (
    meter integer NOT NULL, resource integer NOT NULL, first bigint NOT NULL, last bigint NOT NULL,
    samples bigint NOT NULL, rhythm bigint, step bigint,
    gaps integer NOT NULL, gap_start bigint, gap_end bigint, metadata integer NOT NULL,
    PRIMARY KEY (meter, resource)
  ) WITH (fillfactor = 70);
  CREATE INDEX series_resource ON series (resource);
  CREATE TABLE metadata_changes (
    resource integer NOT NULL, meter integer NOT NULL, since bigint NOT NULL, metadata integer NOT NULL,
    PRIMARY KEY (resource, meter, since)
  );
  -- Eight columns: one more, and the header of each row grows by eight bytes.
  CREATE TABLE samples (
    "time" bigint NOT NULL, meter integer NOT NULL, resource integer NOT NULL, metadata integer NOT NULL,
    id bytea NOT NULL,
    -- One of them has the volume, by what it is: an integer of 64 bits, a float, a longer integer.
    whole bigint, "float" double precision, long numeric,
    PRIMARY KEY (meter, resource, "time", id)
  ) PARTITION BY RANGE ("time");
  -- Samples come about in the order of their times, so a summary of each few pages finds those of an hour.
  CREATE INDEX samples_time ON samples USING brin ("time") WITH (pages_per_range = 32, autosummarize = on);
  CREATE TABLE seen (day integer NOT NULL, id bytea NOT NULL, PRIMARY KEY (day, id));
  CREATE TABLE agents (
    agent text COLLATE "C" NOT NULL, source text COLLATE "C" NOT NULL, first bigint NOT NULL, last bigint NOT NULL,
    samples bigint NOT NULL, rhythm bigint, step bigint,
    gaps integer NOT NULL, gap_start bigint, gap_end bigint,
    PRIMARY KEY (agent, source)
  );
  `,
  // Rows of one sample each took most of their bytes for themselves and their keys. What is in the tables of before is
  // moved afterwards, day by day: postgresql-upgrade.ts.
  `
  ALTER TABLE samples RENAME TO old_samples;
  ALTER TABLE seen RENAME TO old_seen;
  CREATE TABLE blocks (
    bucket integer NOT NULL, meter integer NOT NULL,
    -- Lowest and highest resource.
    low integer NOT NULL, high integer NOT NULL,
    -- Earliest and latest time, from the middle of the bucket.
    first integer NOT NULL, last integer NOT NULL,
    -- The earliest day on which any of it was written.
    written integer NOT NULL,
    samples smallint NOT NULL,
    -- See block.ts.
    series bytea NOT NULL, body bytea NOT NULL, ids bytea NOT NULL
  ) PARTITION BY RANGE (bucket);
  -- Blocks are made to fit into a page; what is random is not worth compressing.
  ALTER TABLE blocks ALTER series SET STORAGE MAIN, ALTER body SET STORAGE MAIN, ALTER ids SET STORAGE MAIN;
  CREATE INDEX blocks_place ON blocks (bucket, meter, low, high);
  CREATE TABLE seen (hash bigint NOT NULL);
  -- Buckets that may have small blocks.
  CREATE TABLE loose (bucket integer PRIMARY KEY);
  `,
];
