import { performance } from 'node:perf_hooks';
import type { Family } from './exposition.ts';

const one = (value: number) => [{ value }];

/** What every process tells of itself, under the names that Prometheus' clients give it. */
export function* processFamilies(): Generator<Family> {
  const { user, system } = process.cpuUsage();
  yield {
    name: 'process_cpu_seconds_total',
    type: 'counter',
    help: 'CPU time of the agent, in seconds.',
    measurements: one((user + system) / 1e6),
  };
  yield {
    name: 'process_resident_memory_bytes',
    type: 'gauge',
    help: 'Memory that the agent has resident.',
    measurements: one(process.memoryUsage.rss()),
  };
  yield {
    name: 'process_start_time_seconds',
    type: 'gauge',
    help: 'When the agent was started, in seconds since the epoch.',
    measurements: one(performance.timeOrigin / 1000),
  };
  yield {
    name: 'nodejs_eventloop_active_seconds_total',
    type: 'counter',
    help: 'Seconds in which the event loop was at work: near one a second, this process is too small for its task.',
    measurements: one(performance.eventLoopUtilization().active / 1000),
  };
}
