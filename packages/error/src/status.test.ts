import { expect, test } from 'vitest';
import { CirqueError } from './cirque-error.ts';
import type { ErrorSource } from './error-type.ts';
import { statusFor } from './status.ts';

test.each<[ErrorSource, string, number]>([
  ['Upstream', 'ConnectTimedout', 504],
  ['Upstream', 'TLSHandshakeTimedout', 504],
  ['Upstream', 'ReadTimedout', 504],
  ['Upstream', 'WriteTimedout', 504],
  ['Upstream', 'ConnectRefused', 502],
  ['Upstream', 'InvalidHTTPHeader', 502],
  ['Upstream', 'ConnectionClosed', 502],
  ['Downstream', 'ReadTimedout', 408],
  ['Downstream', 'WriteTimedout', 0],
  ['Downstream', 'WriteError', 0],
  ['Downstream', 'ReadError', 0],
  ['Downstream', 'ConnectionClosed', 0],
  ['Downstream', 'InvalidHTTPHeader', 400],
  ['Downstream', 'ConnectTimedout', 400],
  ['Internal', 'ReadTimedout', 500],
  ['Internal', 'InternalError', 500],
  ['Unset', 'UnknownError', 500],
])('statusFor: %s %s is %i', (source, type, status) => {
  expect(statusFor(new CirqueError(type, '', { source }))).toBe(status);
});

test('statusFor takes an explicit status whatever the source', () => {
  for (const source of ['Upstream', 'Downstream', 'Internal', 'Unset'] as const) {
    expect(statusFor(CirqueError.http(403, '', { source }))).toBe(403);
  }
  expect(statusFor(CirqueError.http(403).moreContext('outer'))).toBe(403);
  expect(statusFor(CirqueError.because('InternalError', 'gave up', CirqueError.http(403)))).toBe(500);
});
