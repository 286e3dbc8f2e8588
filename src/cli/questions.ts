/** The commands that ask a collector: their options, and which fields they show. */
import type { Argv } from 'yargs';
import { type AskArguments, ask, TOKEN_VARIABLE } from './ask.ts';
import { UsageError, withConfig } from './common.ts';
import { formats, type Shape } from './rows.ts';

const right = (title: string) => ({ title, align: 'right' }) as const;
const wide = (title: string) => ({ title, shrinks: true }) as const;

const meterShape: Shape = [
  { field: 'name', column: wide('METER') },
  { field: 'type', column: { title: 'TYPE' } },
  { field: 'unit', column: { title: 'UNIT' } },
  { field: 'resources', column: right('RESOURCES') },
  { field: 'samples', column: right('SAMPLES') },
  { field: 'late', column: right('LATE') },
  { field: 'interval', column: right('INTERVAL') },
  { field: 'first_sample' },
  { field: 'last_sample', column: { title: 'LAST' } },
];

const resourceShape: Shape = [
  { field: 'resource_id', column: wide('RESOURCE') },
  { field: 'project_id', column: wide('PROJECT') },
  { field: 'project_name' },
  { field: 'user_id' },
  { field: 'user_name' },
  { field: 'source', column: { title: 'SOURCE' } },
  { field: 'first_sample' },
  { field: 'last_sample', column: { title: 'LAST' } },
  { field: 'meters', column: wide('METERS') },
  { field: 'metadata' },
];

const sampleShape: Shape = [
  { field: 'timestamp', column: { title: 'TIME' } },
  { field: 'counter_name', column: wide('METER') },
  { field: 'resource_id', column: wide('RESOURCE') },
  { field: 'counter_volume', column: right('VOLUME') },
  { field: 'counter_unit', column: { title: 'UNIT' } },
  { field: 'counter_type' },
  { field: 'project_id' },
  { field: 'user_id' },
  { field: 'source' },
  { field: 'message_id' },
  { field: 'resource_metadata' },
];

const statisticsShape: Shape = [
  { field: 'period_start', column: { title: 'START' } },
  { field: 'period_end' },
  { field: 'resource_id', column: wide('RESOURCE') },
  { field: 'project_id', column: wide('PROJECT') },
  { field: 'unit', column: { title: 'UNIT' } },
  { field: 'count', column: right('COUNT') },
  { field: 'min', column: right('MIN') },
  { field: 'max', column: right('MAX') },
  { field: 'avg', column: right('AVG') },
  { field: 'sum' },
  { field: 'rate', column: right('RATE/S') },
  { field: 'resets' },
];

type Done = (code: number) => void;

/** Adds the commands to a parser; `done` gets the exit code of the one that runs. */
export function withQuestions(parser: Argv, done: Done): Argv {
  return parser
    .command(
      'meters',
      'List the meters that a collector has',
      (own) =>
        asking(own).option('search', text('Part of the name')).option('resource', text('Only those of this resource')),
      async ({ search, resource, project, ...args }) => {
        done(await ask({ name: 'meters', shape: meterShape, query: { search, resource, project } }, checked(args)));
      },
    )
    .command(
      'resources',
      'List the resources that a collector has samples of',
      (own) =>
        asking(own).option('search', text('Part of the id or the metadata')).option('meter', text('Only with it')),
      async ({ search, meter, project, ...args }) => {
        done(await ask({ name: 'resources', shape: resourceShape, query: { search, meter, project } }, checked(args)));
      },
    )
    .command(
      'samples',
      'List samples of a collector, the newest first',
      (own) =>
        filtered(asking(own))
          .option('meter', text('Only of this meter'))
          .option('order', { choices: ['desc', 'asc'] as const, default: 'desc' as const, describe: 'By time' }),
      async ({ meter, resource, project, user, source, start, end, order, ...args }) => {
        const query = { meter, resource, project, user, source, start, end, order };
        // A table has no room for it.
        const metadata = args.format === 'table' ? 'false' : undefined;
        done(await ask({ name: 'samples', shape: sampleShape, query: { ...query, metadata } }, checked(args)));
      },
    )
    .command(
      'statistics <meter>',
      'Compute statistics of a meter, by period',
      (own) =>
        filtered(asking(own))
          .positional('meter', { type: 'string', demandOption: true, describe: 'Name of the meter' })
          .option('period', { type: 'number', requiresArg: true, describe: 'Seconds; without it all is one period' })
          .option('group', { choices: ['resource', 'project'] as const, describe: 'One row for each of them' }),
      async ({ meter, resource, project, user, source, start, end, period, group, ...args }) => {
        const query = { meter, resource, project, user, source, start, end, period, group };
        done(await ask({ name: 'statistics', shape: statisticsShape, query }, checked(args)));
      },
    );
}

const text = (describe: string) => ({ type: 'string', requiresArg: true, describe }) as const;

function asking<T>(parser: Argv<T>) {
  return withConfig(parser)
    .option('url', text(`Address of the collector (default: as configured; ${TOKEN_VARIABLE} is its token)`))
    .option('format', { choices: formats, default: 'table' as const, describe: 'How the rows are printed' })
    .option('limit', { type: 'number', default: 100, requiresArg: true, describe: 'Most rows; 0 means all' })
    .option('project', text('Only of this project'));
}

function filtered<T>(parser: Argv<T>) {
  return parser
    .option('resource', text('Only of this resource'))
    .option('user', text('Only of this user'))
    .option('source', text('Only of this source'))
    .option('start', text('From this time on, in ISO 8601; UTC unless it has a zone'))
    .option('end', text('Before this time'));
}

function checked<T extends AskArguments>(args: T): T {
  if (!Number.isInteger(args.limit) || args.limit < 0)
    throw new UsageError('--limit: expected a whole number, 0 or more');
  return args;
}
