/** Placeholder until the option table lands; see the commit that follows. */
export interface Config {
  readonly default: { readonly host: string };
}
