import { describe, expect, it } from 'vitest';
import { asSdkType, printed, type SdkType } from '../../src/openstack/sdk-types.ts';
import { parseExactJson } from '../../src/wire/json-parser.ts';

/** What openstacksdk made of these values: type, JSON, `repr` of the result. */
const CONVERTED: readonly (readonly [SdkType, string, string])[] = [
  ['boolean', '"no"', 'True'],
  ['boolean', '""', 'False'],
  ['boolean', '0', 'False'],
  ['boolean', '1.0', 'True'],
  ['boolean', '0.0', 'False'],
  ['boolean', '[]', 'False'],
  ['boolean', '["a", 1]', 'True'],
  ['boolean', '{"k": null}', 'True'],
  ['integer', '"no"', '0'],
  ['integer', '"12"', '12'],
  ['integer', '"-1"', '0'],
  ['integer', '"1.5"', '0'],
  ['integer', '1.0', '1'],
  ['integer', '99.9', '99'],
  ['integer', '1152921504606846976', '1152921504606846976'],
  ['integer', 'true', 'True'],
  ['integer', '{"k": null}', '0'],
  ['float', '"12"', '12.0'],
  ['float', '"1.5"', '1.5'],
  ['float', '1', '1.0'],
  ['float', '99.9', '99.9'],
  ['float', 'true', '1.0'],
  ['float', '1152921504606846976', '1.152921504606847e+18'],
  ['float', '["a", 1]', '0.0'],
  ['text', '1.0', '1.0'],
  ['text', 'true', 'True'],
  ['text', '["a", 1]', "['a', 1]"],
  ['text', '{"k": null}', "{'k': None}"],
  ['list', '"no"', "['no']"],
  ['list', '1.0', '[1.0]'],
  ['list', '["a", 1]', "['a', 1]"],
  ['list', '{}', '[{}]'],
  ['boolean', 'null', 'None'],
  ['list', 'null', 'None'],
];

describe('a value of another type than it should be', () => {
  it.each(CONVERTED)('becomes what openstacksdk makes of it: %s %s', (type, json, result) => {
    expect(printed(asSdkType(parseExactJson(json), type))).toBe(result);
  });
});
