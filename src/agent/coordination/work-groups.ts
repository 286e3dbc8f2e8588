/** The groups in which agents share their work. */
import { createHash } from 'node:crypto';
import type { Config } from '../../config/options.ts';
import type { PollingSource } from '../../config/polling.ts';
import type { Logger } from '../../plugin.ts';
import { groupId } from './group-expression.ts';

export interface WorkGroups {
  /** What the names of most groups begin with: agents of other namespaces, or of another prefix, share nothing. */
  readonly prefix: string;
  /** In which what a discovery of this group finds is shared, by the ids of resources. */
  found(group: string): string;
  /** In which the static resources of a source are shared, by their ids. */
  listed(source: PollingSource): string;
  /** In which the pollsters of a source are shared, by their names; undefined where resources are shared instead. */
  pollsters(source: PollingSource): string | undefined;
}

/** Throws {@link ConfigError} for a group_id_coordination_expression that is not understood. */
export function workGroups(
  config: Config,
  namespaces: readonly string[],
  sources: readonly PollingSource[],
  log: Logger,
): WorkGroups {
  const joined = [...namespaces].sort().join('-');
  const { partitioningGroupPrefix } = config.polling;
  const prefix = partitioningGroupPrefix ? `${joined}-${partitioningGroupPrefix}` : joined;
  const pollsters = new Map<PollingSource, string>();
  for (const source of sources) {
    if (source.groupExpression === undefined) continue;
    const id = groupId(source.groupExpression, { config, source, prefix });
    if (source.resources.length === 0) pollsters.set(source, `${source.name}-${id}`);
    else {
      const fields = { where: source.where, source: source.name };
      log.warn(fields, 'group_id_coordination_expression has no effect beside static resources');
    }
  }
  return {
    prefix,
    // Upstream's agents share by what Python prints of a resource. Where they are in one backend with ours, each kind
    // has all of the work: in one group, what either takes for the other's would be lost.
    found: (group) => `${prefix}-${group}-by-id`,
    // Python's hash of a set, which upstream takes, is another in each process.
    listed: ({ resources }) => `${prefix}-static-${digest([...new Set(resources)].sort())}`,
    // Upstream's name: pollsters are shared by their names, which agents of both kinds can do together.
    pollsters: (source) => pollsters.get(source),
  };
}

function digest(texts: readonly string[]): string {
  return createHash('sha256').update(texts.join('\n')).digest('hex').slice(0, 32);
}
