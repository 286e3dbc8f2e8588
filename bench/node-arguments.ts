/** Arguments of Node for the agents that are measured, e.g. --cpu-prof, to look at what the figures are made of. */
export const nodeArguments = (process.env['CEILOMETER_BENCH_NODE_ARGUMENTS'] ?? '')
  .split(' ')
  .filter((word) => word !== '');
