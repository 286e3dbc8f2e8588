/** Pipelines: what a source selects goes to the publishers of its sinks. */
import { supports } from '../config/match.ts';
import { ConfigError } from '../errors.ts';
import type { Event, NotificationSample } from '../notification.ts';
import type { Logger } from '../plugin.ts';
import { parseFloatText } from '../python/number.ts';
import { asNumber, typeName, ValueError } from '../python/value.ts';
import { createDropLog } from '../util/drop-log.ts';
import { remembered } from '../util/remembered.ts';
import type { PipelineFile } from './pipeline-file.ts';
import type { LoadedPublisher } from './publishers.ts';

/** Something for one publisher. */
export interface Publication {
  readonly publisher: LoadedPublisher;
  readonly samples: readonly NotificationSample[];
  readonly events: readonly Event[];
}

interface Pipeline {
  readonly name: string;
  takes(name: string): boolean;
  readonly publishers: readonly LoadedPublisher[];
}

function buildPipelines(file: PipelineFile, publishers: (url: string) => LoadedPublisher): readonly Pipeline[] {
  const sinks = new Map(file.sinks.map((sink) => [sink.name, sink.publishers.map(publishers)]));
  return file.sources.flatMap(({ name, selection, sinks: wanted }) => {
    const takes = remembered((subject) => supports(selection, subject));
    if (new Set(wanted).size < wanted.length) throw new ConfigError(`${file.path}: source ${name} names a sink twice`);
    return wanted.map((sink) => ({ name: `${name}:${sink}`, takes, publishers: sinks.get(sink) ?? [] }));
  });
}

export interface SamplePipelines {
  /** Throws a `ValueError` for a sample that cannot pass at all. */
  route(samples: readonly NotificationSample[]): readonly Publication[];
  /** Samples left out because they have no usable volume. */
  readonly dropped: number;
}

export function createSamplePipelines(
  file: PipelineFile,
  publishers: (url: string) => LoadedPublisher,
  log: Logger,
): SamplePipelines {
  const pipelines = buildPipelines(file, publishers);
  const drops = createDropLog(log, 'a sample without a usable volume is left out');

  function hasVolume({ name, volume, resourceId }: NotificationSample): boolean {
    if (asNumber(volume) !== undefined) return true;
    if (typeof volume === 'string') {
      if (parseFloatText(volume) !== undefined) return true;
    } else if (volume !== null) throw new ValueError(`the volume of ${name} is a ${typeName(volume)}`);
    drops.note(name, { meter: name, resource: resourceId, volume });
    return false;
  }

  return {
    get dropped() {
      return drops.total;
    },
    route: (samples) =>
      pipelines.flatMap(({ takes, publishers: targets }) => {
        const selected = samples.filter((sample) => takes(sample.name) && hasVolume(sample));
        return selected.length === 0 ? [] : targets.map((publisher) => ({ publisher, samples: selected, events: [] }));
      }),
  };
}

export interface EventPipelines {
  route(event: Event): readonly Publication[];
}

export function createEventPipelines(file: PipelineFile, publishers: (url: string) => LoadedPublisher): EventPipelines {
  const pipelines = buildPipelines(file, publishers);
  return {
    route: (event) =>
      pipelines.flatMap(({ takes, publishers: targets }) =>
        takes(event.eventType) ? targets.map((publisher) => ({ publisher, samples: [], events: [event] })) : [],
      ),
  };
}
