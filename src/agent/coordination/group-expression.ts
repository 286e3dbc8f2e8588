/** `group_id_coordination_expression`, which is Python upstream: the expressions that are understood here, by name. */
import { hostname } from 'node:os';
import type { Config } from '../../config/options.ts';
import type { PollingSource } from '../../config/polling.ts';
import { ConfigError } from '../../errors.ts';

interface Known {
  readonly config: Config;
  readonly source: PollingSource;
  /** What the names of groups begin with. */
  readonly prefix: string;
}

const expressions: Readonly<Record<string, (known: Known) => string>> = {
  'p.name': ({ source }) => source.name,
  'self.conf.host': ({ config }) => config.default.host,
  'self.conf.polling.partitioning_group_prefix': ({ config }) => config.polling.partitioningGroupPrefix ?? 'None',
  'self.group_prefix': ({ prefix }) => prefix,
  'socket.gethostname()': () => hostname(),
};

const QUOTED = /^'([^'\\]*)'$|^"([^"\\]*)"$/;

/** Throws {@link ConfigError} for any other expression. */
export function groupId(expression: { readonly text: string; readonly where: string }, known: Known): string {
  const text = expression.text.trim();
  const quoted = QUOTED.exec(text);
  if (quoted !== null) return quoted[1] ?? quoted[2] ?? '';
  const value = Object.hasOwn(expressions, text) ? expressions[text] : undefined;
  if (value !== undefined) return value(known);
  const names = Object.keys(expressions).join(', ');
  throw new ConfigError(`${expression.where}: expected a text in quotes or one of ${names}, got ${text}`);
}
