/** What comes of one notification: samples by endpoint, an event, or a reason why it fails. */
import type { Event, Notification, NotificationSample } from '../notification.ts';
import type { NotificationEndpoint } from '../plugin.ts';
import { matchAtStart } from '../python/regex.ts';
import type { EventConverter } from './event-converter.ts';

export interface NamedEndpoint {
  readonly name: string;
  readonly endpoint: NotificationEndpoint;
}

interface Outcome {
  /** One list for each endpoint that made any. They are to be published even where something after them failed. */
  readonly samples: readonly (readonly NotificationSample[])[];
  readonly event: Event | undefined;
  readonly failure: { readonly in: string; readonly error: unknown } | undefined;
}

export interface Processor {
  process(notification: Notification): Outcome;
}

/** Leave out `endpoints` or the converter to make no samples or no events. */
export function createProcessor(endpoints: readonly NamedEndpoint[], converter: EventConverter | undefined): Processor {
  const filtered = endpoints.map(({ name, endpoint }) => ({ name, endpoint, filter: filterOf(endpoint) }));

  function process(notification: Notification): Outcome {
    const { priority, eventType } = notification;
    const samples: (readonly NotificationSample[])[] = [];
    if (priority === 'info' || priority === 'sample') {
      for (const { name, endpoint, filter } of filtered) {
        if (filter !== undefined && !filter.test(eventType)) continue;
        try {
          const made = [...endpoint.process(notification)];
          if (made.length > 0) samples.push(made);
        } catch (error) {
          // The endpoints after it, and the event, are left out: upstream's dispatch stops here, too.
          return { samples, event: undefined, failure: { in: `endpoint ${name}`, error } };
        }
      }
    }
    if (converter === undefined || (priority !== 'info' && priority !== 'error')) {
      return { samples, event: undefined, failure: undefined };
    }
    try {
      return { samples, event: converter.convert(notification), failure: undefined };
    } catch (error) {
      return { samples, event: undefined, failure: { in: 'the event definition', error } };
    }
  }

  return { process };
}

function filterOf({ eventTypes }: NotificationEndpoint): RegExp | undefined {
  return eventTypes.length === 0 ? undefined : matchAtStart(eventTypes.join('|'));
}
