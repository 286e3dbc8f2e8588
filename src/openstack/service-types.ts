/** Official service types with the aliases that catalogues use for them: the service-types authority's table. */
const ALIASES: Readonly<Record<string, readonly string[]>> = {
  'admin-logic': ['registration'],
  alarm: ['alarming'],
  'application-container': ['container'],
  'application-deployment': ['application_deployment'],
  baremetal: ['bare-metal'],
  'block-storage': ['volumev3', 'volumev2', 'volume', 'block-store'],
  clustering: ['resource-cluster', 'cluster'],
  'container-infrastructure-management': ['container-infrastructure', 'container-infra'],
  event: ['events'],
  'instance-ha': ['ha'],
  message: ['messaging'],
  meter: ['metering', 'telemetry'],
  'monitoring-logging': ['monitoring-log-api'],
  'multi-region-network-automation': ['tricircle'],
  'operator-policy': ['policy'],
  'resource-optimization': ['infra-optim'],
  'root-cause-analysis': ['rca'],
  'shared-file-system': ['sharev2', 'share'],
  workflow: ['workflowv2'],
};

const officialOf = new Map(
  Object.entries(ALIASES).flatMap(([official, aliases]) => aliases.map((alias) => [alias, official] as const)),
);

/**
 * The types in a catalogue that may stand for a wanted one, best first. An alias stands for the official type and the
 * other way round, but not for another alias: `volumev2` is not `volumev3`.
 */
export function matchingTypes(wanted: string): readonly string[] {
  const official = officialOf.get(wanted);
  return [wanted, ...(official === undefined ? [] : [official]), ...(ALIASES[wanted] ?? [])];
}
