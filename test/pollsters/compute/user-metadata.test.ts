import { describe, expect, it } from 'vitest';
import { reservedUserMetadata } from '../../../src/pollsters/compute/user-metadata.ts';

const defaults = { reservedMetadataNamespace: ['metering.'], reservedMetadataKeys: [], reservedMetadataLength: 256 };

describe('user metadata', () => {
  it('is what has a reserved prefix, without it and with dots replaced', () => {
    const given = { 'metering.autoscale.group': 'web', stack: 'x', 'Metering.other': 'y', metering: 'z' };

    expect(reservedUserMetadata(given, {}, defaults)).toEqual({ autoscale_group: 'web' });
  });

  it('is not there when nothing is reserved', () => {
    expect(reservedUserMetadata({}, {}, defaults)).toBeUndefined();
    expect(reservedUserMetadata({ stack: 'x' }, {}, defaults)).toBeUndefined();
  });

  it('takes keys that are named, whatever their prefix', () => {
    const options = {
      ...defaults,
      reservedMetadataNamespace: [],
      reservedMetadataKeys: ['fqdn', 'a.b', 'absent', 'toString'],
    };

    expect(reservedUserMetadata({ fqdn: 'vm.example', 'a.b': '1', 'metering.c': '2' }, {}, options)).toEqual({
      fqdn: 'vm.example',
      a_b: '1',
    });
  });

  it('leaves out what the sample says itself', () => {
    expect(reservedUserMetadata({ 'metering.ephemeral_gb': '42' }, { ephemeral_gb: 0 }, defaults)).toBeUndefined();
  });

  it('cuts long values by characters, not by halves of them', () => {
    const options = { ...defaults, reservedMetadataLength: 3 };

    expect(
      reservedUserMetadata({ 'metering.a': '🚀🚀🚀🚀', 'metering.b': 'abcdef', 'metering.c': 'ab' }, {}, options),
    ).toEqual({
      a: '🚀🚀🚀',
      b: 'abc',
      c: 'ab',
    });
  });

  it('cuts characters off the end where the longest is below 0', () => {
    const options = { ...defaults, reservedMetadataLength: -1 };

    expect(reservedUserMetadata({ 'metering.a': 'x🚀', 'metering.b': '' }, {}, options)).toEqual({ a: 'x', b: '' });
  });

  it('lets a later prefix win, as upstream does', () => {
    const options = { ...defaults, reservedMetadataNamespace: ['a.', 'b.'] };

    expect(reservedUserMetadata({ 'b.x': 'from b', 'a.x': 'from a' }, {}, options)).toEqual({ x: 'from b' });
  });

  it('takes any key literally', () => {
    const given = JSON.parse('{"metering.__proto__": "p", "metering.constructor": "c"}');

    const user = reservedUserMetadata(given, {}, defaults);

    expect(JSON.stringify(user)).toBe('{"__proto__":"p","constructor":"c"}');
  });
});
