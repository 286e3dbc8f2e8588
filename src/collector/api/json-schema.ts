/** JSON Schema of the few kinds of shapes that the API has. What it does not know, it refuses to describe. */
import type * as v from 'valibot';

export type JsonSchema = Readonly<Record<string, unknown>>;

/** A schema or a step of a pipe, as far as it is looked into here. */
interface Part {
  readonly kind: string;
  readonly type: string;
  readonly pipe?: readonly Part[];
  readonly entries?: Readonly<Record<string, Part>>;
  readonly item?: Part;
  readonly wrapped?: Part;
  readonly default?: unknown;
  readonly options?: readonly unknown[];
  readonly requirement?: unknown;
  readonly description?: string;
}

/** As what is sent: a number in a query is described as the number that its text has to be. */
export function jsonSchema(schema: v.GenericSchema): JsonSchema {
  // Schemas of any kind have these properties, which their common type does not tell.
  return schemaOf(schema as unknown as Part);
}

function schemaOf(part: Part): JsonSchema {
  if (part.pipe === undefined) return plainSchema(part);
  let described: JsonSchema = {};
  // What the last of several schemas takes is what the value has to be.
  for (const step of part.pipe)
    described = step.kind === 'schema' ? schemaOf(step) : Object.assign(described, stepSchema(step));
  return described;
}

function plainSchema(part: Part): JsonSchema {
  const { type, entries = {}, item, wrapped, options = [] } = part;
  switch (type) {
    case 'string':
    case 'number':
    case 'boolean':
      return { type };
    case 'unknown':
      return {};
    case 'picklist':
      return { type: 'string', enum: options };
    case 'union':
      // An exact number: integers of any length have no words of their own in JSON.
      if (options.every((option) => ['number', 'bigint'].includes((option as Part).type))) return { type: 'number' };
      break;
    case 'record':
      return { type: 'object', propertyNames: { type: 'string' }, additionalProperties: {} };
    case 'array':
      if (item !== undefined) return { type, items: schemaOf(item) };
      break;
    case 'nullable':
      if (wrapped !== undefined) return nullable(schemaOf(wrapped));
      break;
    case 'optional':
      if (wrapped !== undefined) return withDefault(schemaOf(wrapped), part.default);
      break;
    case 'strict_object':
      return {
        type: 'object',
        properties: Object.fromEntries(Object.entries(entries).map(([name, entry]) => [name, schemaOf(entry)])),
        required: Object.keys(entries).filter((name) => entries[name]?.type !== 'optional'),
        additionalProperties: false,
      };
  }
  throw new Error(`there is no description for a ${type}`);
}

function nullable(schema: JsonSchema): JsonSchema {
  return { ...schema, type: [schema['type'], 'null'] };
}

/** The default of a query is text, too. */
function withDefault(schema: JsonSchema, value: unknown): JsonSchema {
  if (value === undefined) return schema;
  const isNumber = schema['type'] === 'integer' || schema['type'] === 'number';
  return { ...schema, default: isNumber ? Number(value) : value };
}

function stepSchema({ type, requirement, description }: Part): JsonSchema {
  switch (type) {
    case 'description':
      return { description };
    case 'integer':
      return { type: 'integer' };
    case 'safe_integer':
      return { type: 'integer', maximum: Number.MAX_SAFE_INTEGER };
    case 'min_value':
      return { minimum: requirement };
    case 'max_value':
      return { maximum: requirement };
    case 'gt_value':
      return { exclusiveMinimum: requirement };
    case 'non_empty':
      return { minLength: 1 };
    case 'finite':
    case 'transform':
      return {};
  }
  throw new Error(`there is no description for the step ${type}`);
}
