/** What an expression is made of. */
import type { JsonValue } from '../../../wire/value.ts';

export type BinaryOperator = '+' | '-' | '*' | '/' | '//' | '%' | '**';
export type Comparator = '==' | '!=' | '<' | '<=' | '>' | '>=' | 'in' | 'not in' | 'is' | 'is not';

export type Node =
  | { readonly kind: 'literal'; readonly value: JsonValue }
  | { readonly kind: 'name'; readonly name: string }
  | { readonly kind: 'list'; readonly items: readonly Node[] }
  | { readonly kind: 'dict'; readonly entries: readonly (readonly [key: Node, value: Node])[] }
  | { readonly kind: 'index'; readonly of: Node; readonly index: Node }
  | {
      readonly kind: 'slice';
      readonly of: Node;
      readonly start: Node | undefined;
      readonly stop: Node | undefined;
      readonly step: Node | undefined;
    }
  | { readonly kind: 'call'; readonly name: string; readonly args: Arguments }
  | { readonly kind: 'method'; readonly of: Node; readonly name: string; readonly args: Arguments }
  | { readonly kind: 'unary'; readonly operator: '+' | '-' | 'not'; readonly operand: Node }
  | { readonly kind: 'binary'; readonly operator: BinaryOperator; readonly left: Node; readonly right: Node }
  | { readonly kind: 'logic'; readonly operator: 'and' | 'or'; readonly left: Node; readonly right: Node }
  | { readonly kind: 'compare'; readonly first: Node; readonly rest: readonly (readonly [Comparator, Node])[] }
  | { readonly kind: 'condition'; readonly test: Node; readonly then: Node; readonly otherwise: Node }
  | { readonly kind: 'lambda'; readonly parameters: readonly string[]; readonly body: Node }
  | {
      readonly kind: 'comprehension';
      readonly item: Node;
      readonly names: readonly string[];
      readonly of: Node;
      readonly conditions: readonly Node[];
    };

export interface Arguments {
  readonly positional: readonly Node[];
  readonly named: readonly (readonly [name: string, value: Node])[];
}
