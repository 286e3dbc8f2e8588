import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { jsonSchema } from '../../src/collector/api/json-schema.ts';

describe('the JSON Schema of a shape', () => {
  it('has its fields with their limits and words', () => {
    const schema = v.strictObject({
      name: v.pipe(v.string(), v.nonEmpty(), v.description('Of it.')),
      kind: v.optional(v.picklist(['a', 'b']), 'b'),
      limit: v.optional(v.pipe(v.string(), v.transform(Number), v.number(), v.integer(), v.maxValue(9)), '5'),
      list: v.array(v.nullable(v.number())),
      any: v.record(v.string(), v.unknown()),
    });

    expect(jsonSchema(schema)).toEqual({
      type: 'object',
      properties: {
        name: { type: 'string', minLength: 1, description: 'Of it.' },
        kind: { type: 'string', enum: ['a', 'b'], default: 'b' },
        limit: { type: 'integer', maximum: 9, default: 5 },
        list: { type: 'array', items: { type: ['number', 'null'] } },
        any: { type: 'object', propertyNames: { type: 'string' }, additionalProperties: {} },
      },
      required: ['name', 'list', 'any'],
      additionalProperties: false,
    });
  });

  it('says an exact number as a number, whatever its length', () => {
    expect(jsonSchema(v.union([v.number(), v.bigint()]))).toEqual({ type: 'number' });
  });

  it.each([
    ['a date', v.date(), 'a date'],
    ['a union of others', v.union([v.string(), v.number()]), 'a union'],
    ['a check that it does not know', v.pipe(v.string(), v.email()), 'the step email'],
  ])('is refused for %s, rather than left out', (_, schema, named) => {
    expect(() => jsonSchema(schema)).toThrow(`there is no description for ${named}`);
  });
});
