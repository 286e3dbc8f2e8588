import { describe, expect, it } from 'vitest';
import { createNoneOutput } from '../../src/output/none.ts';
import { patient, sample } from './samples.ts';

describe('no output', () => {
  it('takes every sample and leaves none undelivered', async () => {
    const output = createNoneOutput();

    await output.publish([sample()], patient);

    expect(await output.flush(patient)).toBe(0);
    await output.close();
  });
});
