import { PermanentPollError } from '../../errors.ts';
import type { NicStats } from '../../libvirt/inspector.ts';
import { definePollster } from '../../plugin.ts';
import type { Pollsters, Row, Table } from './domain-pollsters.ts';
import type { NicSaid } from './families.ts';

/** A week: what came while the agent was away is not lost. */
const REMEMBERED = 7 * 24 * 3600;

type CounterKey = Exclude<keyof NicStats, 'name'>;

function counter(unit: string, key: CounterKey, help: string): Row<NicSaid> {
  return { type: 'cumulative', unit, help, read: ({ stats }) => stats[key] };
}

/** What came since the poll before: 0 at the first, and all there is when the counter has started anew. */
function delta(key: CounterKey, help: string): Row<NicSaid> {
  return {
    type: 'delta',
    unit: 'B',
    help,
    remembers: REMEMBERED,
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
  'network.incoming.bytes': counter('B', 'rxBytes', 'Bytes that the interface received.'),
  'network.incoming.bytes.delta': delta('rxBytes', 'Bytes received since the poll before; 0 at the first.'),
  'network.incoming.packets': counter('packet', 'rxPackets', 'Packets that the interface received.'),
  'network.incoming.packets.drop': counter('packet', 'rxDrop', 'Received packets that were dropped.'),
  'network.incoming.packets.error': counter('packet', 'rxErrors', 'Errors in receiving.'),
  'network.outgoing.bytes': counter('B', 'txBytes', 'Bytes that the interface sent.'),
  'network.outgoing.bytes.delta': delta('txBytes', 'Bytes sent since the poll before; 0 at the first.'),
  'network.outgoing.packets': counter('packet', 'txPackets', 'Packets that the interface sent.'),
  'network.outgoing.packets.drop': counter('packet', 'txDrop', 'Packets to send that were dropped.'),
  'network.outgoing.packets.error': counter('packet', 'txErrors', 'Errors in sending.'),
};

/** Upstream has them for hypervisors that are gone. Their names stay known, so that a polling.yaml stays valid. */
export const networkRates: Pollsters = Object.fromEntries(
  ['network.incoming.bytes.rate', 'network.outgoing.bytes.rate'].map((name) => [
    name,
    definePollster(
      {
        name,
        type: 'gauge',
        unit: 'B/s',
        help: 'Never: libvirt does not measure it. The name is known for old files.',
      },
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
