import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nearest } from '../../src/util/nearest.ts';

describe('nearest', () => {
  it.each([
    ['batchsize', ['batch_size', 'cfg_file'], 'batch_size'],
    ['transprot_url', ['transport_url', 'control_exchange'], 'transport_url'],
    ['log-file', ['log_dir', 'log_file'], 'log_file'],
    ['default', ['DEFAULT', 'event'], 'DEFAULT'],
    ['cpu', ['cpu', 'vcpus'], 'cpu'],
    ['hots', ['host', 'ssl'], 'host'],
    ['hxxt', ['host', 'ssl'], undefined],
    ['gnocchi', ['polling', 'compute'], undefined],
    ['x', [], undefined],
  ])('finds for %s among %j: %s', (name, candidates, expected) => {
    expect(nearest(name, candidates)).toBe(expected);
  });

  it('finds a name again after one slip of the finger', () => {
    const name = fc.stringMatching(/^[a-z_]{4,20}$/);

    fc.assert(
      fc.property(name, fc.nat(), (intended, position) => {
        const at = position % intended.length;
        const typed = `${intended.slice(0, at)}${intended.slice(at + 1)}`;

        expect(nearest(typed, [intended])).toBe(intended);
      }),
    );
  });
});
