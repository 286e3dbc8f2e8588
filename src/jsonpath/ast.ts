/** What a path is made of. */

/** A path that cannot be parsed. */
export class JsonPathError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'JsonPathError';
  }
}

export type Comparison = '=' | '==' | '!=' | '<' | '<=' | '>' | '>=' | '~';

export interface Condition {
  readonly path: Path;
  readonly compare?: {
    readonly operator: Comparison;
    readonly value: string | number | boolean;
    readonly float?: true;
  };
}

/** One side of a calculation: a constant or a path. */
export type Operand = Path | { readonly type: 'constant'; readonly value: string | number; readonly float?: true };

export type Path =
  | { readonly type: 'root' }
  | { readonly type: 'this' }
  | { readonly type: 'parent' }
  | { readonly type: 'fields'; readonly names: readonly string[] }
  | { readonly type: 'index'; readonly index: number }
  | { readonly type: 'slice'; readonly start: number | undefined; readonly end: number | undefined }
  | {
      readonly type: 'child' | 'descendants' | 'where' | 'union' | 'intersect';
      readonly left: Path;
      readonly right: Path;
    }
  | { readonly type: 'calculate'; readonly operator: '+' | '-' | '*'; readonly left: Operand; readonly right: Operand }
  | { readonly type: 'filter'; readonly conditions: readonly Condition[] }
  | {
      readonly type: 'sorted';
      readonly by: readonly { readonly path: Path; readonly descending: boolean }[] | undefined;
    }
  | { readonly type: 'len' }
  | { readonly type: 'split'; readonly separator: string; readonly segment: number; readonly limit: number }
  | { readonly type: 'sub'; readonly text: string; readonly replace: (text: string) => string };
