import { describe, expect, it } from 'vitest';
import { parseListenAddress } from '../../src/prometheus/address.ts';
import { exposition, type Family } from '../../src/prometheus/exposition.ts';

const text = (...families: readonly Family[]) => [...exposition(families)].join('');

describe('the text format', () => {
  it('writes a family with its type and help, a line for each measurement', () => {
    const written = text({
      name: 'polls_total',
      type: 'counter',
      help: 'Polls.',
      measurements: [
        { labels: { pollster: 'cpu', result: 'success' }, value: 3 },
        { labels: { pollster: 'cpu', result: 'failed' }, value: 0 },
      ],
    });

    expect(written).toBe(
      '# HELP polls_total Polls.\n# TYPE polls_total counter\n' +
        'polls_total{pollster="cpu",result="success"} 3\npolls_total{pollster="cpu",result="failed"} 0\n',
    );
  });

  it('escapes what labels and help carry, and leaves other text as it is', () => {
    const written = text({
      name: 'x',
      type: 'gauge',
      help: 'a \\ b\nc',
      measurements: [{ labels: { disk: 'C:\\ "ü"\n' }, value: 1 }],
    });

    expect(written).toBe('# HELP x a \\\\ b\\nc\n# TYPE x gauge\nx{disk="C:\\\\ \\"ü\\"\\n"} 1\n');
  });

  it('writes exact integers of any size, the names of what is not finite, and suffixes', () => {
    const values = [2n ** 64n, 0.1, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    const written = text({
      name: 'x',
      type: 'summary',
      help: 'X.',
      measurements: [...values.map((value) => ({ value })), { suffix: '_sum', labels: {}, value: 1e21 }],
    });

    expect(written.split('\n').slice(2, -1)).toEqual([
      'x 18446744073709551616',
      'x 0.1',
      'x NaN',
      'x +Inf',
      'x -Inf',
      'x_sum 1e+21',
    ]);
  });

  it('leaves out a family without measurements', () => {
    expect(text({ name: 'x', type: 'gauge', help: 'X.', measurements: [] })).toBe('');
  });
});

describe('an address to listen on', () => {
  it.each([
    ['127.0.0.1:9101', '127.0.0.1', 9101],
    ['[::1]:9101', '::1', 9101],
    ['localhost:0', 'localhost', 0],
    [' 9102 ', '127.0.0.1', 9102],
  ])('is read from %s', (written, host, port) => {
    expect(parseListenAddress(written, 'option')).toEqual({ host, port });
  });

  it.each(['', ':9101', '::1:9101', '127.0.0.1', '[127.0.0.1]:1', '1.2.3.4:65536', '1.2.3.4:x', 'http://x:1'])(
    'is not %j',
    (written) => {
      expect(() => parseListenAddress(written, '[polling] here')).toThrow(
        `[polling] here: expected an address as 127.0.0.1:9101, [::1]:9101 or 9101, got ${JSON.stringify(written)}`,
      );
    },
  );
});
