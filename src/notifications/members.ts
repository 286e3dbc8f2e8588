/** What all packages together bring for notifications: endpoints, trait plugins, publishers. */
import type { PluginSource } from '../agent/external-plugins.ts';
import type { Factory, Logger, NotificationEndpoint, PublisherFactory } from '../plugin.ts';
import publishersPlugin from '../publishers/index.ts';
import notificationsPlugin from './index.ts';
import type { TraitPluginFactory } from './trait-plugins.ts';

/** The endpoint of the meter definitions. It is no member, since it needs the trait plugins of all packages. */
export const METER = 'meter';

export interface Member<T> {
  /** The package or file it came from. */
  readonly package: string;
  readonly value: T;
}

/** By name; publishers by URL scheme. */
export interface NotificationMembers {
  readonly endpoints: ReadonlyMap<string, Member<Factory<NotificationEndpoint>>>;
  readonly traits: ReadonlyMap<string, Member<TraitPluginFactory>>;
  readonly publishers: ReadonlyMap<string, Member<PublisherFactory>>;
}

/** Of those of one name the first counts, and this package comes first; the others are told of and left out. */
export function notificationMembers(external: readonly PluginSource[], log: Logger): NotificationMembers {
  const sources: readonly PluginSource[] = [
    { package: 'ceilometer-ts', plugin: notificationsPlugin },
    { package: 'ceilometer-ts', plugin: publishersPlugin },
    ...external,
  ];
  function merged<T>(what: string, membersOf: (source: PluginSource) => Readonly<Record<string, T>> | undefined) {
    const members = new Map<string, Member<T>>();
    for (const source of sources) {
      for (const [name, value] of Object.entries(membersOf(source) ?? {})) {
        if (!members.has(name)) members.set(name, { package: source.package, value });
        else log.warn({ name, plugin: source.package }, `a ${what} of this name is there already and is kept`);
      }
    }
    return members;
  }
  return {
    endpoints: merged('endpoint', ({ plugin }) => plugin.endpoints),
    traits: merged('trait plugin', ({ plugin }) => plugin.traits),
    publishers: merged('publisher', ({ plugin }) => plugin.publishers),
  };
}

/** The members without where they came from. */
export function valuesOf<T>(members: ReadonlyMap<string, Member<T>>): ReadonlyMap<string, T> {
  return new Map([...members].map(([name, { value }]) => [name, value]));
}
