/** What a definition says, checked and compiled. */
import type { Meter } from '../../plugin.ts';
import type { JsonObject, JsonValue } from '../../wire/value.ts';
import type { Attribute } from './attribute.ts';
import type { Authentication } from './authentication.ts';
import type { Template } from './template.ts';

export type ResponseHandler = 'json' | 'xml' | 'text';

export type Origin =
  | { readonly kind: 'openstack'; readonly endpointType: string; readonly paths: readonly Template[] }
  | {
      readonly kind: 'api';
      readonly urls: readonly Template[];
      readonly authentication: Authentication;
      /** Empty where they are a secret of Barbican's. */
      readonly parameters: string;
      readonly secretId: string;
    }
  /** One text for a shell, or the words of a command. */
  | { readonly kind: 'command'; readonly form: 'line' | 'words'; readonly words: readonly Template[] };

export type ValueRule =
  | { readonly kind: 'single'; readonly attribute: Attribute }
  /** A value for each element of the entry's list, whose `label` stands in the meter's name. */
  | { readonly kind: 'multi'; readonly list: Attribute; readonly element: Attribute; readonly label: string };

export interface Definition {
  readonly name: string;
  readonly namespaces: readonly string[];
  /** The name still has its placeholder. */
  readonly meter: Meter;
  readonly origin: Origin;
  readonly value: ValueRule;
  readonly skipValues: readonly JsonValue[];
  readonly valueMapping: JsonObject;
  readonly defaultValue: JsonValue;
  readonly metadataFields: readonly Attribute[];
  readonly metadataMapping: Readonly<Record<string, string>>;
  readonly keepMapped: boolean;
  readonly entriesKey: Attribute | undefined;
  readonly nextPage: Attribute | undefined;
  /** By the field of the entry that they become. */
  readonly ids: readonly (readonly [field: 'user_id' | 'project_id' | 'id', attribute: Attribute])[];
  readonly headers: Readonly<Record<string, string>>;
  /** Milliseconds. */
  readonly timeout: number;
  readonly handlers: readonly ResponseHandler[];
  readonly baseMetadata: JsonObject;
  readonly extra: readonly ExtraField[];
}

export interface ExtraField {
  readonly definition: Definition;
  /** Milliseconds. */
  readonly cacheFor: number;
  readonly skip: readonly JsonObject[];
}
