/**
 * Works out expressions. They reach their inputs and the functions of `functions.ts` and `methods.ts`, nothing else.
 */
import type { JsonObject, JsonValue } from '../../../wire/value.ts';
import { binary, compare, sign } from './arithmetic.ts';
import { EvaluationError } from './errors.ts';
import { callFunction } from './functions.ts';
import { callMethod } from './methods.ts';
import type { Arguments, Node } from './syntax.ts';
import {
  Callable,
  data,
  dictOf,
  integer,
  isDict,
  isFloat,
  isNumber,
  isSequence,
  isTrue,
  iterate,
  lookUp,
  toInteger,
  typeName,
  type Value,
} from './values.ts';
import { FUNCTIONS } from './vocabulary.ts';

type Scope = ReadonlyMap<string, Value>;

const MOST_STEPS = 2_000_000;
const DEEPEST_CALL = 40;

/** The value of an expression over its inputs. Throws {@link EvaluationError}; the inputs stay as they are. */
export function evaluate(root: Node, inputs: JsonObject): JsonValue {
  let steps = 0;
  let depth = 0;

  function run(node: Node, scope: Scope): Value {
    steps += 1;
    if (steps > MOST_STEPS) throw new EvaluationError('limit', 'the expression takes too long');
    switch (node.kind) {
      case 'literal':
        return node.value;
      case 'name':
        return nameIn(node.name, scope);
      case 'list':
        return node.items.map((item) => data(run(item, scope)));
      case 'dict':
        return dictOf(node.entries.map(([key, value]) => [keyOf(run(key, scope)), data(run(value, scope))] as const));
      case 'index':
        return itemOf(run(node.of, scope), run(node.index, scope));
      case 'slice': {
        const bound = (one: Node | undefined) => (one === undefined ? undefined : boundOf(run(one, scope)));
        return sliceOf(run(node.of, scope), bound(node.start), bound(node.stop), bound(node.step) ?? 1);
      }
      case 'call': {
        const own = scope.get(node.name);
        const { positional, named } = argumentsOf(node.args, scope);
        if (own === undefined) return callFunction(node.name, positional, named);
        if (own instanceof Callable) return own.call(positional);
        throw new EvaluationError('TypeError', `${typeName(own)} cannot be called`);
      }
      case 'method':
        return callMethod(run(node.of, scope), node.name, argumentsOf(node.args, scope).positional);
      case 'unary': {
        const operand = run(node.operand, scope);
        return node.operator === 'not' ? !isTrue(operand) : sign(node.operator, operand);
      }
      case 'binary':
        return binary(node.operator, run(node.left, scope), run(node.right, scope));
      case 'logic': {
        const left = run(node.left, scope);
        return isTrue(left) === (node.operator === 'or') ? left : run(node.right, scope);
      }
      case 'compare': {
        let left = run(node.first, scope);
        for (const [comparator, operand] of node.rest) {
          const right = run(operand, scope);
          if (!compare(comparator, left, right)) return false;
          left = right;
        }
        return true;
      }
      case 'condition':
        return run(isTrue(run(node.test, scope)) ? node.then : node.otherwise, scope);
      case 'lambda':
        return lambda(node.parameters, node.body, scope);
      case 'comprehension':
        return comprehension(node, scope);
    }
  }

  function lambda(parameters: readonly string[], body: Node, scope: Scope): Callable {
    return new Callable((args) => {
      if (args.length !== parameters.length) {
        throw new EvaluationError('TypeError', `a lambda of ${parameters.length} parameters got ${args.length}`);
      }
      depth += 1;
      if (depth > DEEPEST_CALL) throw new EvaluationError('limit', 'calls are nested too deeply');
      const inner = new Map(scope);
      for (const [at, name] of parameters.entries()) inner.set(name, args[at] ?? null);
      const result = run(body, inner);
      depth -= 1;
      return result;
    });
  }

  function comprehension(node: Extract<Node, { kind: 'comprehension' }>, scope: Scope): JsonValue {
    const items: JsonValue[] = [];
    const inner = new Map(scope);
    for (const element of iterate(run(node.of, scope))) {
      bind(node.names, element, inner);
      if (node.conditions.every((condition) => isTrue(run(condition, inner)))) items.push(data(run(node.item, inner)));
    }
    return items;
  }

  function argumentsOf({ positional, named }: Arguments, scope: Scope) {
    return {
      positional: positional.map((node) => run(node, scope)),
      named: new Map(named.map(([name, node]) => [name, run(node, scope)] as const)),
    };
  }

  return data(run(root, new Map(Object.entries(inputs))));
}

function nameIn(name: string, scope: Scope): Value {
  const value = scope.get(name);
  if (value !== undefined) return value;
  if (FUNCTIONS.has(name)) return new Callable((args) => callFunction(name, args, new Map()), name);
  throw new EvaluationError('NameError', `the name ${name} is not defined`);
}

function bind(names: readonly string[], element: JsonValue, scope: Map<string, Value>): void {
  const [first] = names;
  if (names.length === 1 && first !== undefined) {
    scope.set(first, element);
    return;
  }
  const parts = iterate(element);
  if (parts.length !== names.length) {
    throw new EvaluationError('ValueError', `expected ${names.length} values to unpack, got ${parts.length}`);
  }
  for (const [at, name] of names.entries()) scope.set(name, parts[at] ?? null);
}

function keyOf(value: Value): string {
  if (typeof value === 'string') return value;
  throw new EvaluationError('TypeError', `keys are texts here, not ${typeName(value)}`);
}

function itemOf(of: Value, index: Value): JsonValue {
  if (isDict(of)) return lookUp(of, keyOf(index));
  if (typeof of !== 'string' && !isSequence(of)) {
    throw new EvaluationError('TypeError', `${typeName(of)} has no items`);
  }
  const items = iterate(of);
  const at = boundOf(index);
  const found = items[at < 0 ? items.length + at : at];
  if (found === undefined) throw new EvaluationError('IndexError', `there is no item ${at} of ${items.length}`);
  return found;
}

function boundOf(value: Value): number {
  if (value instanceof Callable || !isNumber(value) || isFloat(value)) {
    throw new EvaluationError('TypeError', `an index is an integer, not ${typeName(value)}`);
  }
  return Number(integer(toInteger(value)));
}

function sliceOf(of: Value, start: number | undefined, stop: number | undefined, step: number): JsonValue {
  if (typeof of !== 'string' && !isSequence(of)) throw new EvaluationError('TypeError', `a slice of ${typeName(of)}`);
  if (step === 0) throw new EvaluationError('ValueError', 'the step of a slice is 0');
  const items = iterate(of);
  const { length } = items;
  const lowest = step > 0 ? 0 : -1;
  const highest = step > 0 ? length : length - 1;
  const place = (bound: number) => Math.min(highest, Math.max(lowest, bound < 0 ? bound + length : bound));
  const from = start === undefined ? (step > 0 ? lowest : highest) : place(start);
  const to = stop === undefined ? (step > 0 ? highest : lowest) : place(stop);
  const taken: JsonValue[] = [];
  for (let at = from; step > 0 ? at < to : at > to; at += step) {
    const item = items[at];
    if (item !== undefined) taken.push(item);
  }
  return typeof of === 'string' ? taken.join('') : taken;
}
