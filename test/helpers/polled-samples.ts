/** Samples that an agent has printed as JSON lines. */
export interface PolledSample {
  readonly counter_name: string;
  readonly counter_volume: number;
  readonly resource_id: string;
  readonly message_id: string;
  readonly timestamp: string;
  readonly monotonic_time: number;
  readonly resource_metadata: Readonly<Record<string, unknown>>;
}

/** Those of whole lines. */
export function polledSamples({ stdout }: { readonly stdout: string }): readonly PolledSample[] {
  const whole = stdout.slice(0, stdout.lastIndexOf('\n') + 1);
  return whole.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as PolledSample]));
}
