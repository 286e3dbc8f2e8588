/** `http.request` and `http.response`, which an old middleware sends: one each. */
import type { Notification, NotificationSample } from '../notification.ts';
import type { NotificationEndpoint } from '../plugin.ts';
import { getKey, ValueError } from '../python/value.ts';
import { isObject, type JsonObject, type JsonValue } from '../wire/value.ts';
import { createIds, createSampleMaker } from './sample.ts';

export function httpEndpoint(eventType: string, source: string): NotificationEndpoint {
  return { eventTypes: [eventType], process: (notification) => [httpSample(notification, source)] };
}

function httpSample(notification: Notification, source: string): NotificationSample {
  const unit = notification.eventType.split('.')[1];
  if (unit === undefined) throw new ValueError('the event type has no second part');
  const request = required(required(notification.payload, 'payload', 'request'), 'request');
  return createSampleMaker(notification, source, createIds(notification)).make({
    name: notification.eventType,
    type: 'delta',
    unit,
    volume: 1,
    userId: getKey(request, 'HTTP_X_USER_ID') ?? null,
    projectId: getKey(request, 'HTTP_X_PROJECT_ID') ?? null,
    resourceId: getKey(request, 'HTTP_X_SERVICE_NAME') ?? null,
  });
}

/** The value as a dictionary, or the dictionary's entry. */
function required(value: JsonValue, what: string, key?: string): JsonObject {
  const found = key === undefined ? value : getKey(value, key);
  if (found === undefined || !isObject(found)) throw new ValueError(`${key ?? what} has to be a dict`);
  return found;
}
