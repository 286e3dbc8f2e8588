/** virDomainState: upstream's words for it in `state` (Nova's power state) and `status` (its guess of Nova's). */
export const SHUT_OFF = 5;

interface Words {
  readonly state: string | null;
  readonly status: string | null;
}

const WORDS: readonly Words[] = [
  { state: 'pending', status: 'building' },
  { state: 'running', status: 'active' },
  { state: 'running', status: 'active' },
  { state: 'paused', status: 'paused' },
  { state: 'shutdown', status: 'stopped' },
  { state: 'shutdown', status: 'stopped' },
  { state: 'crashed', status: 'error' },
  { state: 'suspended', status: 'suspended' },
];

export function wordsOf(state: number): Words {
  return WORDS[state] ?? { state: null, status: null };
}
