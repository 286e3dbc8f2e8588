/** The OpenAPI description of the read API, from the very shapes that it checks and answers. */
import { type JsonSchema, jsonSchema } from './json-schema.ts';
import { answers, queries } from './schema.ts';

interface Operation {
  readonly path: string;
  readonly query: keyof typeof queries;
  readonly answer: keyof typeof answers;
  readonly summary: string;
}

export const operations = [
  {
    path: '/v1/status',
    query: 'status',
    answer: 'Status',
    summary: 'What is collected, from whom, and what is missing',
  },
  { path: '/v1/meters', query: 'meters', answer: 'MeterPage', summary: 'Meters by name' },
  { path: '/v1/resources', query: 'resources', answer: 'ResourcePage', summary: 'Resources by id' },
  {
    path: '/v1/resources/{resource_id}',
    query: 'resource',
    answer: 'ResourceDetail',
    summary: 'One resource with its meters and the history of its metadata',
  },
  { path: '/v1/samples', query: 'samples', answer: 'SamplePage', summary: 'Samples by time' },
  {
    path: '/v1/statistics',
    query: 'statistics',
    answer: 'StatisticsPage',
    summary: 'Statistics of one meter by period, the oldest first',
  },
] as const satisfies readonly Operation[];

export function openapiDocument(version: string): JsonSchema {
  return {
    openapi: '3.1.0',
    info: { title: 'ceilometer-collector', version, description: 'Reads what the collector stored.' },
    paths: {
      ...Object.fromEntries(operations.map((operation) => [operation.path, { get: describe(operation) }])),
      '/v1/openapi.json': {
        get: {
          operationId: 'openapi',
          summary: 'This description',
          responses: { 200: { description: 'OpenAPI 3.1' } },
        },
      },
    },
    components: {
      schemas: Object.fromEntries(Object.entries(answers).map(([name, schema]) => [name, jsonSchema(schema)])),
      securitySchemes: { token: { type: 'http', scheme: 'bearer' } },
    },
    // The token is asked for only where [collector] api_token sets one.
    security: [{}, { token: [] }],
  };
}

function describe({ path, query, answer, summary }: Operation): JsonSchema {
  const problem = (description: string) => ({ description, content: jsonOf('Problem') });
  return {
    operationId: query,
    summary,
    parameters: [...pathParameters(path), ...queryParameters(query)],
    responses: {
      200: { description: summary, content: jsonOf(answer) },
      400: problem('A parameter is wrong; the error names it'),
      401: problem('The bearer token is missing or wrong'),
      404: problem('There is no such thing'),
      503: problem('The store does not answer'),
    },
  };
}

function jsonOf(name: keyof typeof answers): JsonSchema {
  return { 'application/json': { schema: { $ref: `#/components/schemas/${name}` } } };
}

function pathParameters(path: string): JsonSchema[] {
  const names = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
  return names.map((name) => ({ name, in: 'path', required: true, schema: { type: 'string' } }));
}

function queryParameters(query: keyof typeof queries): JsonSchema[] {
  const { properties = {}, required = [] } = jsonSchema(queries[query]) as {
    properties?: Record<string, JsonSchema>;
    required?: readonly string[];
  };
  return Object.entries(properties).map(([name, { description, ...schema }]) => ({
    name,
    in: 'query',
    required: required.includes(name),
    ...(description !== undefined && { description }),
    schema,
  }));
}
