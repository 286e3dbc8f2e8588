import fc from 'fast-check';
import { expect, it } from 'vitest';
import { findAll } from '../../src/jsonpath/evaluate.ts';
import { parsePath } from '../../src/jsonpath/parser.ts';
import { compileDefinition } from '../../src/notifications/definition.ts';
import type { JsonObject } from '../../src/wire/value.ts';

const { path } = fc.letrec<{ path: string }>((tie) => ({
  path: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom('a', 'b', 'c', '$', '*', '[0]'),
    fc.tuple(tie('path'), tie('path')).map(([left, right]) => `${left}.${right}`),
    fc.tuple(tie('path'), tie('path')).map(([left, right]) => `(${left})|(${right})`),
    fc.tuple(tie('path'), tie('path')).map(([left, right]) => `${left}.(${right})`),
  ),
}));

const { value } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom(null, 1, 'text', true),
    fc.record({ a: tie('value'), b: tie('value'), c: tie('value') }, { requiredKeys: [] }),
    fc.array(tie('value'), { maxLength: 2 }),
  ),
}));

it('takes the first value of a path that the interpreter finds, however plain the path is', () => {
  const seen = { plain: 0, other: 0 };

  fc.assert(
    fc.property(path, fc.record({ a: value, b: value, c: value }), (text, document) => {
      const body = document as JsonObject;
      let parsed: ReturnType<typeof parsePath>;
      try {
        parsed = parsePath(text);
      } catch {
        return;
      }
      seen[/[*[]/.test(text) ? 'other' : 'plain'] += 1;
      const attempt = (evaluate: () => unknown) => {
        try {
          return evaluate();
        } catch (error) {
          return error instanceof Error ? error.message : error;
        }
      };

      expect(attempt(() => compileDefinition('x', text, new Map()).first(body))).toEqual(
        attempt(() => findAll(parsed, body).find((match) => match.value !== null)?.value ?? null),
      );
    }),
    { numRuns: 3000 },
  );
  expect(seen.plain).toBeGreaterThan(500);
  expect(seen.other).toBeGreaterThan(100);
});
