import { PermanentPollError } from '../../errors.ts';
import type { NicStats } from '../../libvirt/inspector.ts';
import { definePollster } from '../../plugin.ts';
import type { Pollsters, Row, Table } from './domain-pollsters.ts';
import type { NicSaid } from './families.ts';

type CounterKey = Exclude<keyof NicStats, 'name'>;

function counter(unit: string, key: CounterKey): Row<NicSaid> {
  return { type: 'cumulative', unit, read: ({ stats }) => stats[key] };
}

/** What came since the poll before: 0 at the first, and all there is when the counter has started anew. */
function delta(key: CounterKey): Row<NicSaid> {
  return {
    type: 'delta',
    unit: 'B',
    read({ nic, stats, boot, at }, history) {
      const value = stats[key];
      if (value === undefined) return undefined;
      const life = nic.freshPerBoot ? `${boot}/${nic.tap}` : '';
      const before = history.swap(nic.key, { value, at, life });
      if (before === undefined) return 0n;
      return before.life !== life || value < before.value ? value : value - before.value;
    },
  };
}

export const network: Table<NicSaid> = {
  'network.incoming.bytes': counter('B', 'rxBytes'),
  'network.incoming.bytes.delta': delta('rxBytes'),
  'network.incoming.packets': counter('packet', 'rxPackets'),
  'network.incoming.packets.drop': counter('packet', 'rxDrop'),
  'network.incoming.packets.error': counter('packet', 'rxErrors'),
  'network.outgoing.bytes': counter('B', 'txBytes'),
  'network.outgoing.bytes.delta': delta('txBytes'),
  'network.outgoing.packets': counter('packet', 'txPackets'),
  'network.outgoing.packets.drop': counter('packet', 'txDrop'),
  'network.outgoing.packets.error': counter('packet', 'txErrors'),
};

/** Upstream has them for hypervisors that are gone. Their names stay known, so that a polling.yaml stays valid. */
export const networkRates: Pollsters = Object.fromEntries(
  ['network.incoming.bytes.rate', 'network.outgoing.bytes.rate'].map((name) => [
    name,
    definePollster(
      { name, type: 'gauge', unit: 'B/s' },
      {
        discovery: 'local_instances',
        poll(resources) {
          const ids = resources.map(({ id }) => id);
          throw new PermanentPollError(`libvirt does not measure ${name}`, ids);
        },
      },
    ),
  ]),
);
