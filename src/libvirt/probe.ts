import { NoAnswerError } from './client.ts';
import type { Domain } from './inspector.ts';
import { allDomainStats, STATS_GROUPS, STATS_NOWAIT } from './procedures.ts';
import { HUNG_PROBING_MAX } from './request-slots.ts';
import type { StatsRecord } from './stats-decode.ts';
import type { StatsParts } from './stats-parts.ts';

/** Asks a domain in quarantine whether it is back. Resolves when it said so, or soon; never rejects. */
export async function probeDomain(
  parts: StatsParts,
  domain: Domain,
  onRecord?: (record: StatsRecord) => void,
): Promise<void> {
  const { apart, quarantine, pace, signal, log } = parts;
  const { uuid } = domain;
  if (parts.hung() >= HUNG_PROBING_MAX || signal.aborted) return;
  quarantine.probing(uuid, true);
  const query = { domains: [domain], groups: STATS_GROUPS, flags: STATS_NOWAIT };
  const onLate = () => quarantine.unhung(uuid);
  const { answer, patience } = apart.call(allDomainStats, query, { ...pace.single, signal, onLate });
  const settled = answer.then(
    ({ records: [record] }) => {
      quarantine.probing(uuid, false);
      if (record === undefined) return;
      onRecord?.(record);
      if (record.complete) quarantine.answered(uuid);
      else quarantine.hold(domain, false);
    },
    (error: unknown) => {
      quarantine.probing(uuid, false);
      if (error instanceof NoAnswerError) quarantine.hold(domain, true);
      else log.debug({ domain: uuid, name: domain.name, err: error }, 'domain could not be asked whether it is back');
    },
  );
  if (await patience) await settled;
}
