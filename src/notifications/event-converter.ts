/** Makes events of notifications, as `event_definitions.yaml` says. */
import { ConfigError } from '../errors.ts';
import type { Event, Notification } from '../notification.ts';
import { remembered } from '../util/remembered.ts';
import { isList, type JsonValue } from '../wire/value.ts';
import { DefinitionError, type TraitPlugins } from './definition.ts';
import { type DefinitionFile, readDefinitionFile } from './definition-file.ts';
import { compileEventDefinition, type EventDefinition } from './event-definition.ts';

export interface EventOptions {
  readonly dropUnmatched: boolean;
  /** `[event] store_raw`: priorities, in any case. */
  readonly storeRaw: readonly string[];
  readonly plugins: TraitPlugins;
}

export interface EventConverter {
  /** Undefined where no definition takes the notification. Throws where its values are not what its traits need. */
  convert(notification: Notification): Event | undefined;
}

/** Throws {@link ConfigError} with a line for each definition that is wrong. */
export function loadEventConverter(path: string, options: EventOptions): EventConverter {
  return createEventConverter(readDefinitionFile(path), options);
}

function createEventConverter(file: DefinitionFile, options: EventOptions): EventConverter {
  const { value } = file;
  if (!isList(value)) throw new ConfigError(`${file.path}:1: expected a list of event definitions`);
  const priorities = options.storeRaw.map((priority) => priority.toLowerCase());
  const definitions: EventDefinition[] = [];
  const mistakes: string[] = [];
  for (const [index, entry] of value.entries()) {
    try {
      // Of all that take a notification, the last in the file counts.
      definitions.unshift(compileEventDefinition(entry, options.plugins, priorities));
    } catch (error) {
      if (!(error instanceof DefinitionError)) throw error;
      mistakes.push(`${file.path}:${file.lineOf([index, ...error.at])}: [${index}]: ${error.message}`);
    }
  }
  if (mistakes.length > 0) throw new ConfigError(mistakes.join('\n'));
  if (!options.dropUnmatched && !definitions.some(({ catchAll }) => catchAll)) {
    const anything: JsonValue = { event_type: '*', traits: {} };
    definitions.push(compileEventDefinition(anything, options.plugins, priorities));
  }

  const definitionOf = remembered((eventType) => definitions.find((candidate) => candidate.matches(eventType)));
  return { convert: (notification) => definitionOf(notification.eventType)?.event(notification) };
}
