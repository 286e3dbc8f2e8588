/** Whether polled samples were signed with our own secret. */
import type { Logger } from '../plugin.ts';
import { getKey } from '../python/value.ts';
import { createSigner, signedText } from '../wire/signature.ts';
import { isObject, type JsonValue } from '../wire/value.ts';

export type SignaturePolicy = 'ignore' | 'warn' | 'reject';

export interface SignatureCheck {
  /** Whether the sample at this place of a message has to be looked at. */
  wants(index: number): boolean;
  /** Whether a sample may pass. */
  passes(sample: JsonValue, publisher: JsonValue): boolean;
  /** Samples that did not. */
  readonly rejected: number;
}

/**
 * Undefined where there is nothing to check. To `warn`, one sample of each message is enough: what it is about is an
 * agent with another secret. Told of once, and again when it was right in between.
 */
export function createSignatureCheck(policy: SignaturePolicy, secret: string, log: Logger): SignatureCheck | undefined {
  if (policy === 'ignore' || secret === '') return undefined;
  const sign = createSigner(secret);
  let wasValid = true;
  let rejected = 0;

  function isValid(sample: JsonValue): boolean {
    if (!isObject(sample)) return true;
    return getKey(sample, 'message_signature') === sign(signedText(sample));
  }

  return {
    get rejected() {
      return rejected;
    },
    wants: (index) => policy === 'reject' || index === 0,
    passes(sample, publisher) {
      const valid = isValid(sample);
      if (!valid && wasValid) {
        const fields = { meter: getKey(sample, 'counter_name') ?? null, publisher, rejected: policy === 'reject' };
        log.warn(fields, 'a polled sample is not signed with the secret of this agent');
      }
      wasValid = valid;
      if (policy !== 'reject') return true;
      if (!valid) rejected += 1;
      return valid;
    },
  };
}
