import { describe, expect, test } from 'vitest';
import {
  checkHttp1Leniency,
  DEFAULT_HTTP1_LIMITS,
  type Http1Leniency,
  type Http1Limits,
  resolveHttp1Limits,
} from './limits.ts';

describe('resolveHttp1Limits', () => {
  test('resolveHttp1Limits fills in the defaults', () => {
    expect(resolveHttp1Limits()).toEqual({
      maxHeadBytes: 65_536,
      maxFields: 200,
      maxTargetBytes: 16_384,
      maxChunkExtensionBytes: 16_384,
      maxTrailerBytes: 16_384,
    });
    expect(resolveHttp1Limits({ maxFields: 1 })).toEqual({ ...DEFAULT_HTTP1_LIMITS, maxFields: 1 });
    const unset = { maxFields: undefined } as unknown as Partial<Http1Limits>;
    expect(resolveHttp1Limits(unset)).toEqual(DEFAULT_HTTP1_LIMITS);
  });

  test.each([0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53, '5', null, true])(
    'resolveHttp1Limits refuses %j with the name, the value and what would be right',
    (value) => {
      const limits = { maxFields: value } as unknown as Partial<Http1Limits>;
      expect(() => resolveHttp1Limits(limits)).toThrowError(
        new RangeError(`limit maxFields is ${String(value)}: expected an integer of at least 1`),
      );
    },
  );

  test.each(['maxField', 'MaxFields', 'toString', 'constructor'])('resolveHttp1Limits does not know %s', (name) => {
    expect(() => resolveHttp1Limits({ [name]: 5 })).toThrowError(TypeError);
    expect(() => resolveHttp1Limits({ [name]: 5 })).toThrowError(`limit ${name} is unknown: expected one of maxHead`);
  });
});

describe('checkHttp1Leniency', () => {
  test('checkHttp1Leniency gives a copy', () => {
    const given = { obsFold: true, missingHost: false };
    const checked = checkHttp1Leniency(given);
    given.obsFold = false;
    expect(checked).toEqual({ obsFold: true, missingHost: false });
    expect(checkHttp1Leniency()).toEqual({});
    expect(checkHttp1Leniency({ obsFold: undefined } as unknown as Http1Leniency).obsFold).toBeUndefined();
  });

  test('checkHttp1Leniency refuses unknown names and values that are not boolean', () => {
    expect(() => checkHttp1Leniency({ obsfold: true } as Http1Leniency)).toThrowError(
      'leniency obsfold is unknown: expected one of contentLengthWithTransferEncoding,',
    );
    expect(() => checkHttp1Leniency({ toString: true } as unknown as Http1Leniency)).toThrowError(TypeError);
    expect(() => checkHttp1Leniency({ obsFold: 'no' } as unknown as Http1Leniency)).toThrowError(
      new TypeError('leniency obsFold is no: expected true or false'),
    );
  });
});
