/**
 * Paths in the dialect of jsonpath-rw-ext. Its grammar is ambiguous and the parser generator settles that by
 * precedence, in ways that definitions depend on: `a.b|c` means `a.(b|c)`, and a calculation takes all that follows.
 */

import { substitution } from '../python/regex.ts';
import { type Comparison, type Condition, JsonPathError, type Operand, type Path } from './ast.ts';
import { type Token, tokenize } from './lexer.ts';

const MAX_DEPTH = 100;

type Joiner = 'child' | 'descendants' | 'where' | 'union' | 'intersect';

const joiners: Readonly<Record<string, { readonly type: Joiner; readonly level: number }>> = {
  '..': { type: 'descendants', level: 4 },
  '.': { type: 'child', level: 5 },
  '|': { type: 'union', level: 6 },
  '&': { type: 'intersect', level: 7 },
  where: { type: 'where', level: 8 },
};

/** How strongly an operator ahead holds back those before it; a calculation itself never gives way. */
const calculations: Readonly<Record<string, number>> = { '+': 1, '-': 1, '*': 2 };
const CALCULATION_LEVEL = 0;

type Pending =
  | { readonly kind: 'join'; readonly type: Joiner; readonly level: number }
  | { readonly kind: 'calculate'; readonly operator: '+' | '-' | '*'; readonly level: number };

/** Parses a path. Throws a {@link JsonPathError} and nothing else. */
export function parsePath(text: string): Path {
  const parser = new Parser(text);
  const path = parser.path();
  parser.end();
  return path;
}

class Parser {
  readonly #tokens: readonly Token[];
  #at = 0;
  #depth = 0;

  constructor(text: string) {
    this.#tokens = tokenize(text);
  }

  end(): void {
    if (this.#at < this.#tokens.length) this.#unexpected();
  }

  #unexpected(): never {
    const token = this.#tokens[this.#at];
    throw new JsonPathError(
      token === undefined ? 'unexpected end' : `unexpected '${token.text}' at character ${token.at}`,
    );
  }

  #isLiteral(text: string): boolean {
    const token = this.#tokens[this.#at];
    return token?.kind === 'literal' && token.text === text;
  }

  #take(kind: Token['kind']): Token | undefined {
    const token = this.#tokens[this.#at];
    if (token?.kind !== kind) return undefined;
    this.#at++;
    return token;
  }

  #takeLiteral(text: string): boolean {
    const found = this.#isLiteral(text);
    if (found) this.#at++;
    return found;
  }

  #expect(text: string): void {
    if (!this.#takeLiteral(text)) this.#unexpected();
  }

  path(): Path {
    if (++this.#depth > MAX_DEPTH) throw new JsonPathError('nested too deeply');
    const operands: Operand[] = [this.#operand()];
    const pending: Pending[] = [];
    for (;;) {
      const token = this.#tokens[this.#at];
      const joiner = token !== undefined && isOperator(token) ? joiners[token.text] : undefined;
      const calculation = token?.kind === 'literal' ? calculations[token.text] : undefined;
      if (joiner !== undefined) {
        reduce(operands, pending, (level) => joiner.level <= level, false);
        pending.push({ kind: 'join', ...joiner });
        this.#at++;
        operands.push(this.#operand());
      } else if (calculation !== undefined) {
        reduce(operands, pending, (level) => calculation < level, true);
        pending.push({ kind: 'calculate', operator: operatorOf(token?.text), level: CALCULATION_LEVEL });
        this.#at++;
        operands.push(this.#operand());
      } else if (this.#takeLiteral('[')) {
        reduce(operands, pending, (level) => level > 0, false);
        operands.push({ type: 'child', left: asPath(operands.pop()), right: this.#bracket(true) });
      } else break;
    }
    reduce(operands, pending, () => true, false);
    this.#depth--;
    return asPath(operands[0]);
  }

  #operand(): Operand {
    const id = this.#take('id');
    if (id !== undefined) return { type: 'fields', names: this.#names(id.text) };
    const number = this.#take('number');
    if (number !== undefined) return { type: 'constant', value: Number(number.text) };
    const float = this.#take('float');
    if (float !== undefined) return { type: 'constant', value: Number(float.text), float: true };
    const named = this.#take('operator');
    if (named !== undefined) return namedOperator(named.text);
    if (this.#takeLiteral('*')) return { type: 'fields', names: ['*'] };
    if (this.#takeLiteral('$')) return { type: 'root' };
    if (this.#takeLiteral('@')) return { type: 'this' };
    if (this.#takeLiteral('[')) return this.#bracket(false);
    if (!this.#takeLiteral('(')) this.#unexpected();
    const path = this.path();
    this.#expect(')');
    return path;
  }

  #names(first: string): readonly string[] {
    const names = [first];
    while (this.#takeLiteral(',')) {
      const next = this.#take('id');
      if (next === undefined) this.#unexpected();
      names.push(next.text);
    }
    return names;
  }

  /** What stands in brackets; filters and sorts only after something that they apply to. */
  #bracket(afterPath: boolean): Path {
    let path: Path;
    const id = this.#take('id');
    if (id !== undefined) path = { type: 'fields', names: this.#names(id.text) };
    else if (this.#takeLiteral('*')) path = { type: 'slice', start: undefined, end: undefined };
    else if (afterPath && this.#takeLiteral('?')) path = { type: 'filter', conditions: this.#conditions() };
    else if (afterPath && this.#tokens[this.#at]?.kind === 'sort') path = this.#sort();
    else path = this.#indexOrSlice();
    this.#expect(']');
    return path;
  }

  #indexOrSlice(): Path {
    const start = this.#take('number');
    if (!this.#takeLiteral(':')) {
      if (start === undefined) this.#unexpected();
      return { type: 'index', index: Number(start.text) };
    }
    const end = this.#take('number');
    return { type: 'slice', start: start && Number(start.text), end: end && Number(end.text) };
  }

  #sort(): Path {
    const by = [];
    for (let sort = this.#take('sort'); sort !== undefined; sort = this.#take('sort')) {
      by.push({ path: this.path(), descending: sort.text !== '/' });
    }
    return { type: 'sorted', by };
  }

  #conditions(): readonly Condition[] {
    const conditions = [...this.#conditionOrGroup()];
    while (this.#takeLiteral('&')) conditions.push(...this.#conditionOrGroup());
    return conditions;
  }

  #conditionOrGroup(): readonly Condition[] {
    const [start, depth] = [this.#at, this.#depth];
    if (!this.#isLiteral('(')) return [this.#condition()];
    try {
      return [this.#condition()];
    } catch (error) {
      if (!(error instanceof JsonPathError)) throw error;
      if (++this.#depth > MAX_DEPTH) throw error;
      this.#at = start + 1;
      this.#depth = depth + 1;
      const conditions = this.#conditions();
      this.#expect(')');
      this.#depth = depth;
      return conditions;
    }
  }

  #condition(): Condition {
    const path = this.path();
    const compare = this.#take('compare');
    if (compare === undefined) return { path };
    const operator = compare.text as Comparison;
    const value = this.#take('id') ?? this.#take('number') ?? this.#take('float') ?? this.#take('bool');
    if (value === undefined) this.#unexpected();
    if (value.kind === 'id') return { path, compare: { operator, value: value.text } };
    if (value.kind === 'bool') return { path, compare: { operator, value: value.text === 'true' } };
    if (value.kind === 'number') return { path, compare: { operator, value: Number(value.text) } };
    return { path, compare: { operator, value: Number(value.text), float: true } };
  }
}

function isOperator(token: Token): boolean {
  return token.kind === 'literal' || token.kind === '..' || token.kind === 'where';
}

function operatorOf(text: string | undefined): '+' | '-' | '*' {
  return text === '+' || text === '-' ? text : '*';
}

/** Joins what is pending while `gives` says that the operator on top gives way to the one ahead. */
function reduce(
  operands: Operand[],
  pending: Pending[],
  gives: (level: number) => boolean,
  calculationAhead: boolean,
): void {
  for (let top = pending.at(-1); top !== undefined; top = pending.at(-1)) {
    // A number is no path: a calculation that follows it belongs to it, and anything else ends the one it stands in.
    const afterNumber = operands.at(-1)?.type === 'constant';
    if (afterNumber && calculationAhead) return;
    if (!gives(top.level) && !afterNumber) return;
    pending.pop();
    const right = operands.pop();
    const left = operands.pop();
    operands.push(join(top, left, right));
  }
}

function join(operator: Pending, left: Operand | undefined, right: Operand | undefined): Operand {
  if (operator.kind === 'join') return { type: operator.type, left: asPath(left), right: asPath(right) };
  if (left?.type === 'constant' && right?.type === 'constant' && left.float !== right.float) {
    throw new JsonPathError('an integer and a float cannot be calculated with each other');
  }
  return { type: 'calculate', operator: operator.operator, left: asOperand(left), right: asOperand(right) };
}

/** A single name in a calculation is a text, since a field can be written as `$.name`. */
function asOperand(operand: Operand | undefined): Operand {
  const name = operand?.type === 'fields' && operand.names.length === 1 ? operand.names[0] : undefined;
  if (name !== undefined) return { type: 'constant', value: name };
  return operand ?? { type: 'this' };
}

function asPath(operand: Operand | undefined): Path {
  if (operand === undefined || operand.type === 'constant')
    throw new JsonPathError('a number stands where a path is expected');
  return operand;
}

function namedOperator(text: string): Path {
  if (text === 'this' || text === 'parent' || text === 'len') return { type: text };
  if (text === 'sorted') return { type: 'sorted', by: undefined };
  if (text.startsWith('split(')) {
    const match = /^split\(([^\n]),\s+(\d+),\s+(\d+|-1)\)/u.exec(text);
    if (match?.[1] === undefined) throw new JsonPathError(`\`${text}\` is not split(character, segment, limit)`);
    return { type: 'split', separator: match[1], segment: Number(match[2]), limit: Number(match[3]) };
  }
  if (text.startsWith('sub(')) {
    const match = /^sub\(\/(.*)\/,\s+(.*)\)/.exec(text);
    if (match === null) throw new JsonPathError(`\`${text}\` is not sub(/expression/, replacement)`);
    try {
      return { type: 'sub', text, replace: substitution(match[1]?.trim() ?? '', match[2]?.trim() ?? '') };
    } catch (error) {
      throw new JsonPathError(`\`${text}\`: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  throw new JsonPathError(`unknown operator \`${text}\``);
}
