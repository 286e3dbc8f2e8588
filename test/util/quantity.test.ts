import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { alignPoints, quantity } from '../../src/util/quantity.ts';

function shown(volume: number | bigint, unit: string): string {
  const { number, unit: fitting } = quantity(volume, unit);
  return `${number} ${fitting}`;
}

describe('a quantity', () => {
  it.each([
    { volume: 0n, unit: 'B', text: '0 B' },
    { volume: 1023n, unit: 'B', text: '1,023 B' },
    { volume: 1024n, unit: 'B', text: '1.0 KiB' },
    { volume: 1536, unit: 'B', text: '1.5 KiB' },
    { volume: 1048575n, unit: 'B', text: '1.0 MiB' },
    { volume: 996147n, unit: 'B', text: '972.8 KiB' },
    { volume: 2n ** 64n, unit: 'B', text: '16.0 EiB' },
    { volume: 2n ** 75n, unit: 'B', text: '32,768.0 EiB' },
    { volume: 24684096, unit: 'KB', text: '23.5 GiB' },
    { volume: 512, unit: 'KB', text: '512 KiB' },
    { volume: 512, unit: 'MB', text: '512 MiB' },
    { volume: 17.125, unit: 'MB', text: '17.125 MiB' },
    { volume: 2345.67, unit: 'MB', text: '2.3 GiB' },
    { volume: 20n, unit: 'GB', text: '20 GiB' },
    { volume: -2048n, unit: 'B', text: '-2.0 KiB' },
    { volume: 999n, unit: 'ns', text: '999 ns' },
    { volume: 1500n, unit: 'ns', text: '1.5 µs' },
    { volume: 59_970_000_000n, unit: 'ns', text: '1.0 min' },
    { volume: 9_007_199_254_740_993n, unit: 'ns', text: '104.2 d' },
    { volume: 12.34, unit: '%', text: '12.3 %' },
    { volume: 100n, unit: '%', text: '100.0 %' },
    { volume: 1234567n, unit: 'request', text: '1,234,567 request' },
    { volume: 18446744073709551615n, unit: 'packet', text: '18,446,744,073,709,551,615 packet' },
    { volume: 32, unit: 'process', text: '32 process' },
    { volume: 0.05, unit: 'process', text: '0.05 process' },
    { volume: 0.00012, unit: 'W', text: '0.00012 W' },
    { volume: 1234.56, unit: 'W', text: '1,234.6 W' },
    { volume: 1e21, unit: '', text: '1,000,000,000,000,000,000,000 ' },
  ])('of $volume $unit is shown as $text', ({ volume, unit, text }) => {
    expect(shown(volume, unit)).toBe(text);
  });

  it('is within half of its last digit of the truth', () => {
    const sizes: Readonly<Record<string, bigint>> = {
      B: 1n,
      KiB: 2n ** 10n,
      MiB: 2n ** 20n,
      GiB: 2n ** 30n,
      TiB: 2n ** 40n,
      PiB: 2n ** 50n,
      EiB: 2n ** 60n,
    };

    fc.assert(
      fc.property(fc.bigInt(0n, 2n ** 70n), (bytes) => {
        const { number, unit } = quantity(bytes, 'B');
        const [whole = '', tenth = '0'] = number.replaceAll(',', '').split('.');
        const tenths = BigInt(whole) * 10n + BigInt(tenth);
        const size = sizes[unit] ?? 0n;
        const error = tenths * size - bytes * 10n;
        expect(error * 2n <= size && error * -2n <= size).toBe(true);
      }),
    );
  });
});

describe('a column of numbers', () => {
  it('has its decimal points below each other when it is right-aligned', () => {
    expect(alignPoints(['1,023', '1.5', '0.125'])).toEqual(['1,023    ', '1.5  ', '0.125']);
  });
});
