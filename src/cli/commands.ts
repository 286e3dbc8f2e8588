/** The commands for people. */
import { command, exitCodes, upOutputs, withConfig } from './common.ts';
import { withQuestions } from './questions.ts';

export const NAME = 'ceilometer';

/** Each command is imported when it is asked for, so that none pays for the others. */
export async function main(argv: readonly string[]): Promise<number> {
  let code: number = exitCodes.ok;
  const parser = command(NAME, argv).usage('$0 <command> [options]');
  await withQuestions(parser, (result) => {
    code = result;
  })
    .command(
      'up',
      'Poll this machine, and its virtual machines where libvirt answers, store the samples and show them on a page',
      (parser) =>
        withConfig(parser)
          .option('interval', { type: 'number', default: 10, describe: 'Seconds from one cycle to the next' })
          .option('port', { type: 'number', describe: 'Port of the page on 127.0.0.1 (default 8777; 0 takes any)' })
          .option('transport-url', { type: 'string', requiresArg: true, describe: 'Send the samples over this broker' })
          .option('output', { choices: upOutputs, default: 'lines' as const, describe: 'What the terminal shows' }),
      async (args) => {
        code = await (await import('./up.ts')).up(args);
      },
    )
    .command(
      'plugins',
      'List the pollsters there are: namespace, meter, type, unit and package',
      (parser) => withConfig(parser),
      async (args) => {
        code = await (await import('./plugins.ts')).listPlugins(args);
      },
    )
    .command('config', 'Show what can be configured', (parser) =>
      parser
        .command('sample', 'Print a ceilometer.conf with every option, commented out', {}, async () => {
          const { sampleConfig } = await import('../config/docs.ts');
          process.stdout.write(sampleConfig());
        })
        .demandCommand(1, 'expected: config sample'),
    )
    .command('docs', false, {}, async () => {
      await (await import('./docs.ts')).writeDocs();
    })
    .demandCommand(1, 'expected a command')
    .parseAsync();
  return code;
}
