#!/usr/bin/env -S MALLOC_MMAP_THRESHOLD_=65536 node --max-semi-space-size=2
/** `ceilometer`: see commands.ts. Nothing is imported here that takes its time: Ctrl-C has to count from the start. */
import { noteEarlySignals } from '../util/early-signals.ts';

const argv = process.argv.slice(2);
// The other commands simply end.
if (argv.find((argument) => !argument.startsWith('-')) === 'up') noteEarlySignals();

const { main, NAME } = await import('./commands.ts');
const { runMain } = await import('./program.ts');
await runMain(NAME, () => main(argv));
