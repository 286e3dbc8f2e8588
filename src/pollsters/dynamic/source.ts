/** Where answers come from: one form for services, other APIs and commands. */
import type { JsonObject } from '../../wire/value.ts';

/** One request. Two with the same key have the same answer. */
export interface Step {
  readonly key: string;
  /** The text of the answer. */
  fetch(signal: AbortSignal): Promise<string>;
}

export interface Source {
  /** The requests to begin with. `resource` is a URL of the service for those that are polled by endpoint. */
  begin(resource: string, inputs: JsonObject): readonly Step[];
  /** What an answer says comes next. */
  follow(next: string, resource: string, inputs: JsonObject): Step;
}
