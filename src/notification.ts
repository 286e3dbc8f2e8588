/** What the notification agent takes in and what it makes of it. */
import type { SampleType } from './sample.ts';
import type { JsonObject, JsonValue } from './wire/value.ts';

/**
 * What a service told the world, as the pipelines see it. What others sent is only known to be JSON: whoever needs
 * more of a field checks it, and throws when the field is not what it has to be.
 */
export interface Notification {
  /** In lower case: `info`, `error`, `sample`, ... */
  readonly priority: string;
  readonly eventType: string;
  readonly publisherId: JsonValue;
  readonly payload: JsonValue;
  readonly messageId: JsonValue;
  readonly timestamp: JsonValue;
  /** All of it under the names that definitions use: `ctxt`, `publisher_id`, `event_type`, `payload`, `metadata`. */
  readonly body: JsonObject;
  /** What stays the same when the broker delivers the message again: ids of samples are made of it. */
  readonly identity: string;
}

/**
 * A sample on its way through the pipelines. Wider than one of our own pollsters, because what the sender of a
 * notification says passes through as it is: a volume may be the text `"7"`, an id may be null.
 */
export interface NotificationSample {
  readonly id: JsonValue;
  readonly name: string;
  readonly type: SampleType;
  readonly unit: JsonValue;
  readonly volume: JsonValue;
  readonly userId: JsonValue;
  readonly userName: JsonValue;
  readonly projectId: JsonValue;
  readonly projectName: JsonValue;
  readonly resourceId: JsonValue;
  readonly timestamp: JsonValue;
  readonly metadata: JsonValue;
  readonly source: JsonValue;
}

/** Ceilometer's numbers for the types of traits. */
export const traitTypes = { text: 1, int: 2, float: 3, datetime: 4 } as const;
export type TraitType = keyof typeof traitTypes;

export interface Trait {
  readonly name: string;
  readonly type: TraitType;
  /** A time is a text as {@link Event.generated} is. */
  readonly value: JsonValue;
}

export interface Event {
  readonly messageId: JsonValue;
  readonly eventType: string;
  /** UTC without a zone, as Python's `isoformat` prints it. */
  readonly generated: string;
  readonly traits: readonly Trait[];
  /** The notification that it was made of, where `[event] store_raw` asks for it; else an empty object. */
  readonly raw: JsonObject;
}

/** A value of a notification that a trait or a meter is made of, and the path on which it was found. */
export interface FoundField {
  readonly path: string;
  readonly value: JsonValue;
}

/** Turns the fields that a definition names into values: `split`, `map` and their like. */
export interface TraitPlugin {
  /** Set where it gives one value for each field, so that meters with `lookup` can use it. */
  readonly allValues?: true;
  /** Called also when no field was found. A null among the values counts as not there; the first value is taken. */
  values(fields: readonly FoundField[]): readonly JsonValue[];
}
