/**
 * Reads a Python expression. What is Python but not for definitions is noted and read on, so that a text that turns
 * out not to be Python at all is told apart from one that is refused.
 */
import { NotPythonError } from './errors.ts';
import { numberOf, type Token, tokenize } from './lexer.ts';
import type { Arguments, BinaryOperator, Comparator, Node } from './syntax.ts';
import { FUNCTIONS, METHODS } from './vocabulary.ts';

export interface Parsed {
  readonly root: Node;
  /** Names that are neither functions nor bound inside of the expression. */
  readonly free: ReadonlySet<string>;
  /** What is not for definitions. */
  readonly unsupported: readonly string[];
}

const DEEPEST = 60;

const RESERVED = new Set(
  'False None True and as assert async await break class continue def del elif else except finally for from global if import in is lambda nonlocal not or pass raise return try while with yield'.split(
    ' ',
  ),
);
const NOTHING: Node = { kind: 'literal', value: null };

/** Throws {@link NotPythonError}. */
export function parse(text: string): Parsed {
  const { tokens, unsupported: strings } = tokenize(text);
  const free = new Set<string>();
  const unsupported = [...strings];
  let scope: readonly string[] = [];
  let at = 0;
  let depth = 0;

  const peek = (): Token => tokens[at] ?? { kind: 'end', text: 'the end' };

  function is(text: string): boolean {
    const token = peek();
    return token.text === text && (token.kind === 'operator' || (token.kind === 'name' && RESERVED.has(text)));
  }

  function accept(text: string): boolean {
    if (!is(text)) return false;
    at += 1;
    return true;
  }

  function expect(text: string): void {
    if (!accept(text)) throw new NotPythonError(`expected ${text}, got ${peek().text}`);
  }

  function note(what: string): Node {
    unsupported.push(what);
    return NOTHING;
  }

  function identifier(): string {
    const { kind, text } = peek();
    if (kind !== 'name' || RESERVED.has(text)) throw new NotPythonError(`expected a name, got ${text}`);
    at += 1;
    return text;
  }

  function within<T>(names: readonly string[], read: () => T): T {
    const outer = scope;
    scope = [...scope, ...names];
    const result = read();
    scope = outer;
    return result;
  }

  function expression(): Node {
    depth += 1;
    if (depth > DEEPEST) throw new NotPythonError('nested too deeply');
    const node = is('lambda') ? lambda() : conditional();
    depth -= 1;
    return node;
  }

  function lambda(): Node {
    expect('lambda');
    const parameters: string[] = [];
    while (!is(':')) {
      if (is('*') || is('**')) {
        at += 1;
        note('a lambda with *');
      }
      parameters.push(identifier());
      if (!accept(',')) break;
    }
    expect(':');
    return { kind: 'lambda', parameters, body: within(parameters, expression) };
  }

  function conditional(): Node {
    const then = or();
    if (!accept('if')) return then;
    const test = or();
    expect('else');
    return { kind: 'condition', test, then, otherwise: expression() };
  }

  function or(): Node {
    let left = and();
    while (accept('or')) left = { kind: 'logic', operator: 'or', left, right: and() };
    return left;
  }

  function and(): Node {
    let left = not();
    while (accept('and')) left = { kind: 'logic', operator: 'and', left, right: not() };
    return left;
  }

  function not(): Node {
    let negations = 0;
    while (accept('not')) negations += 1;
    let node = comparison();
    for (; negations > 0; negations -= 1) node = { kind: 'unary', operator: 'not', operand: node };
    return node;
  }

  function comparison(): Node {
    const first = bits();
    const rest: [Comparator, Node][] = [];
    for (let operator = comparator(); operator !== undefined; operator = comparator()) rest.push([operator, bits()]);
    return rest.length === 0 ? first : { kind: 'compare', first, rest };
  }

  function comparator(): Comparator | undefined {
    for (const operator of ['==', '!=', '<=', '>=', '<', '>', 'in'] as const) if (accept(operator)) return operator;
    if (accept('is')) return accept('not') ? 'is not' : 'is';
    if (is('not') && tokens[at + 1]?.text === 'in') {
      at += 2;
      return 'not in';
    }
    return undefined;
  }

  function bits(): Node {
    const left = sum();
    let noted: Node | undefined;
    for (;;) {
      const operator = ['&', '|', '^', '<<', '>>'].find(accept);
      if (operator === undefined) return noted ?? left;
      sum();
      noted = note(`the operator ${operator}`);
    }
  }

  function sum(): Node {
    let left = product();
    for (;;) {
      const operator = oneOf('+', '-');
      if (operator === undefined) return left;
      left = { kind: 'binary', operator, left, right: product() };
    }
  }

  function product(): Node {
    let left = factor();
    for (;;) {
      if (accept('@')) {
        factor();
        note('the operator @');
        continue;
      }
      const operator = oneOf('*', '/', '//', '%');
      if (operator === undefined) return left;
      if (operator === '%' && left.kind === 'literal' && typeof left.value === 'string') note('formatting with %');
      left = { kind: 'binary', operator, left, right: factor() };
    }
  }

  function oneOf<O extends BinaryOperator>(...operators: readonly O[]): O | undefined {
    return operators.find((operator) => accept(operator));
  }

  function factor(): Node {
    const signs: ('+' | '-')[] = [];
    for (;;) {
      if (accept('~')) note('the operator ~');
      else if (accept('-')) signs.push('-');
      else if (accept('+')) signs.push('+');
      else break;
    }
    const node = power();
    return signs.reduceRight<Node>((operand, operator) => ({ kind: 'unary', operator, operand }), node);
  }

  function power(): Node {
    const left = primary();
    if (!accept('**')) return left;
    depth += 1;
    if (depth > DEEPEST) throw new NotPythonError('nested too deeply');
    const node: Node = { kind: 'binary', operator: '**', left, right: factor() };
    depth -= 1;
    return node;
  }

  function primary(): Node {
    let node = atom();
    for (;;) {
      if (accept('[')) node = subscript(node);
      else if (accept('.')) node = attribute(node);
      else if (is('(')) {
        argumentsOf();
        node = note('a call of what is no name');
      } else return node;
    }
  }

  function attribute(of: Node): Node {
    const name = identifier();
    if (!is('(')) return note(`the attribute .${name}`);
    const args = argumentsOf();
    if (!METHODS.has(name)) return note(`the method .${name}()`);
    return args.named.length > 0 ? note(`named arguments of .${name}()`) : { kind: 'method', of, name, args };
  }

  function subscript(of: Node): Node {
    const bounds: (Node | undefined)[] = [];
    let colons = 0;
    while (!is(']')) {
      if (accept(':')) {
        colons += 1;
        if (colons > 2) throw new NotPythonError('expected ], got :');
      } else if (bounds[colons] === undefined) bounds[colons] = expression();
      else if (accept(',')) note('an index with a comma');
      else throw new NotPythonError(`expected ], got ${peek().text}`);
    }
    expect(']');
    const [start, stop, step] = bounds;
    if (colons > 0) return { kind: 'slice', of, start, stop, step };
    if (start === undefined) throw new NotPythonError('expected an index, got ]');
    return { kind: 'index', of, index: start };
  }

  function argumentsOf(): Arguments {
    expect('(');
    const positional: Node[] = [];
    const named: [string, Node][] = [];
    while (!is(')')) {
      if (accept('*') || accept('**')) {
        expression();
        note('an argument with *');
      } else if (peek().kind === 'name' && tokens[at + 1]?.text === '=') {
        const name = identifier();
        at += 1;
        named.push([name, expression()]);
      } else {
        const before = new Set(free);
        const item = expression();
        positional.push(is('for') ? comprehension(item, before) : item);
      }
      if (!accept(',')) break;
    }
    expect(')');
    return { positional, named };
  }

  function atom(): Node {
    const token = peek();
    at += 1;
    switch (token.kind) {
      case 'number':
        return { kind: 'literal', value: numberOf(token.text) };
      case 'string': {
        let value = token.text;
        for (let next = peek(); next.kind === 'string'; next = peek()) {
          value += next.text;
          at += 1;
        }
        return { kind: 'literal', value };
      }
      case 'name':
        return named(token.text);
      case 'operator':
        if (token.text === '(') return parenthesis();
        if (token.text === '[') return list();
        if (token.text === '{') return braces();
        break;
      case 'end':
        break;
    }
    throw new NotPythonError(`unexpected ${token.text}`);
  }

  function named(name: string): Node {
    if (name === 'True' || name === 'False') return { kind: 'literal', value: name === 'True' };
    if (name === 'None') return NOTHING;
    if (RESERVED.has(name)) throw new NotPythonError(`unexpected ${name}`);
    const bound = scope.includes(name);
    if (!is('(')) {
      if (!bound && !FUNCTIONS.has(name)) free.add(name);
      return { kind: 'name', name };
    }
    const args = argumentsOf();
    const takes = bound ? [] : FUNCTIONS.get(name);
    if (takes === undefined) {
      free.add(name);
      return note(`the function ${name}()`);
    }
    const unknown = args.named.find(([one]) => !takes.includes(one));
    return unknown === undefined ? { kind: 'call', name, args } : note(`the argument ${unknown[0]} of ${name}()`);
  }

  function parenthesis(): Node {
    if (accept(')')) return { kind: 'list', items: [] };
    const before = new Set(free);
    const first = expression();
    if (is('for')) {
      const node = comprehension(first, before);
      expect(')');
      return node;
    }
    if (accept(')')) return first;
    if (accept(':=')) {
      expression();
      expect(')');
      return note('the operator :=');
    }
    return { kind: 'list', items: items(first, ')') };
  }

  function list(): Node {
    if (accept(']')) return { kind: 'list', items: [] };
    const before = new Set(free);
    const first = expression();
    if (is('for')) {
      const node = comprehension(first, before);
      expect(']');
      return node;
    }
    return { kind: 'list', items: items(first, ']') };
  }

  function items(first: Node, end: string): readonly Node[] {
    const all = [first];
    while (accept(',') && !is(end)) all.push(expression());
    expect(end);
    return all;
  }

  function braces(): Node {
    if (accept('}')) return { kind: 'dict', entries: [] };
    const entries: [Node, Node][] = [];
    const before = new Set(free);
    const first = expression();
    if (!accept(':')) {
      if (is('for')) {
        comprehension(first, before);
        expect('}');
      } else items(first, '}');
      return note('a set');
    }
    entries.push([first, expression()]);
    if (is('for')) {
      comprehension(first, before);
      expect('}');
      return note('a dict comprehension');
    }
    while (accept(',') && !is('}')) {
      const key = expression();
      expect(':');
      entries.push([key, expression()]);
    }
    expect('}');
    return { kind: 'dict', entries };
  }

  /** The item was read before its names were known: those that were not free before it are not free at all. */
  function comprehension(item: Node, before: ReadonlySet<string>): Node {
    expect('for');
    const names = [identifier()];
    while (accept(',')) names.push(identifier());
    for (const name of names) if (!before.has(name)) free.delete(name);
    expect('in');
    const of = or();
    const conditions: Node[] = [];
    within(names, () => {
      while (accept('if')) conditions.push(or());
    });
    if (is('for')) {
      comprehension(item, before);
      note('a comprehension of more than one for');
    }
    return { kind: 'comprehension', item, names, of, conditions };
  }

  const root = expression();
  const { kind, text: rest } = peek();
  if (kind !== 'end') throw new NotPythonError(`unexpected ${rest}`);
  return { root, free, unsupported };
}
