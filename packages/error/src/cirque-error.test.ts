import { types } from 'node:util';
import { afterEach, expect, test, vi } from 'vitest';
import { CirqueError } from './cirque-error.ts';
import type { ErrorType } from './error-type.ts';

afterEach(() => {
  vi.resetModules();
});

/** A second copy of the package, as an application gets it that mixes versions. */
async function otherCopy(): Promise<typeof CirqueError> {
  vi.resetModules();
  const copy = await import('./cirque-error.ts');
  expect(copy.CirqueError).not.toBe(CirqueError);
  return copy.CirqueError;
}

test('CirqueError is an error of its own name with type, code, context and message', () => {
  const error = new CirqueError('ConnectRefused', 'connecting to 127.0.0.1:9');
  expect(error).toBeInstanceOf(Error);
  expect(types.isNativeError(error)).toBe(true);
  expect({ ...error }).toEqual({
    type: 'ConnectRefused',
    code: 'CQ_CONNECT_REFUSED',
    source: 'Unset',
    retry: false,
    status: undefined,
  });
  expect([error.name, error.message, error.context]).toEqual([
    'CirqueError',
    'ConnectRefused: connecting to 127.0.0.1:9',
    'connecting to 127.0.0.1:9',
  ]);
  expect('cause' in error).toBe(false);
});

test('CirqueError keeps the context as given and escapes it in the message', () => {
  const error = new CirqueError('InvalidHTTPHeader', 'line "a\r\n\x1b[2J"');
  expect(error.context).toBe('line "a\r\n\x1b[2J"');
  expect(error.message).toBe('InvalidHTTPHeader: line "a\\r\\n\\x1b[2J"');
});

test('CirqueError without a context takes its message from a foreign cause', () => {
  expect(CirqueError.from(new TypeError('x is not a function')).message).toBe(
    'UnknownError: TypeError: x is not a function',
  );
  expect(CirqueError.internal('InternalError').message).toBe('InternalError');
  expect(CirqueError.because('InternalError', '', CirqueError.http(503)).message).toBe('InternalError');
});

test('CirqueError captures a stack for our own faults only', () => {
  const frames = (error: Error): boolean => error.stack?.includes('\n    at ') ?? false;
  expect(frames(CirqueError.internal('InternalError'))).toBe(true);
  expect(frames(CirqueError.http(503))).toBe(true);
  expect(frames(CirqueError.from('thrown text'))).toBe(true);
  expect(frames(CirqueError.upstream('ReadError'))).toBe(false);
  expect(frames(CirqueError.downstream('ReadError'))).toBe(false);
  expect(frames(CirqueError.http(503).moreContext('x'))).toBe(false);
  expect(frames(new Error('the limit is as before'))).toBe(true);
});

test('CirqueError works where the stack limit cannot be changed', () => {
  const limit = Error.stackTraceLimit;
  Object.defineProperty(Error, 'stackTraceLimit', { value: limit, writable: false, configurable: true });
  try {
    expect(CirqueError.upstream('ReadError').stack).toContain('\n    at ');
  } finally {
    Object.defineProperty(Error, 'stackTraceLimit', { value: limit, writable: true, configurable: true });
  }
});

test('CirqueError inherits the retry verdict of a cause of ours, and of no other', () => {
  const inner = new CirqueError('ReadError', '', { retry: 'ReusedOnly' });
  expect(CirqueError.because('InternalError', 'x', inner).retry).toBe('ReusedOnly');
  expect(new CirqueError('ReadError', 'x', { cause: inner, retry: false }).retry).toBe(false);
  expect(CirqueError.because('InternalError', 'x', new Error('plain')).retry).toBe(false);
});

test('CirqueError.because starts without a source', () => {
  expect(CirqueError.because('InternalError', 'x', CirqueError.upstream('ReadError')).source).toBe('Unset');
});

test('CirqueError.http carries the status', () => {
  const error = CirqueError.http(503, 'no healthy backend', { source: 'Upstream', retry: true });
  expect([error.type, error.status, error.code, error.source, error.retry, error.message]).toEqual([
    'HTTPStatus',
    503,
    'CQ_HTTP_STATUS',
    'Upstream',
    true,
    'HTTPStatus 503: no healthy backend',
  ]);
});

test.each([99, 600, 404.5, Number.NaN, Number.POSITIVE_INFINITY, '503' as unknown as number])(
  'CirqueError.http refuses %s',
  (status) => {
    expect(() => CirqueError.http(status)).toThrow(RangeError);
    expect(() => CirqueError.http(status)).toThrow(
      `status of a CirqueError must be an integer from 100 to 599, got ${status}`,
    );
  },
);

test('CirqueError of type HTTPStatus needs a status, other types may have one', () => {
  expect(() => new CirqueError('HTTPStatus', 'x')).toThrow(RangeError);
  expect(new CirqueError('InvalidHTTPHeader', 'too large', { status: 431 }).status).toBe(431);
  expect(() => new CirqueError('InvalidHTTPHeader', 'x', { status: 1000 })).toThrow(RangeError);
});

test.each(['upstream', 'downstream', 'internal'] as const)('CirqueError.%s sets the source', (name) => {
  const cause = new Error('why');
  const error = CirqueError[name]('ReadError', 'reading', cause);
  expect([error.source.toLowerCase(), error.context, error.cause]).toEqual([name, 'reading', cause]);
});

test('CirqueError takes custom types and codes', () => {
  const error = new CirqueError('QuotaExceeded' satisfies ErrorType, 'key 7', { code: 'SHOP_QUOTA' });
  expect([error.type, error.code]).toEqual(['QuotaExceeded', 'SHOP_QUOTA']);
  expect(error.moreContext('outer').code).toBe('SHOP_QUOTA');
});

test('CirqueError.moreContext wraps: same facts, new context outside', () => {
  const inner = new CirqueError('ReadError', 'inner', { source: 'Upstream', retry: 'ReusedOnly', status: 503 });
  const outer = inner.moreContext('outer');
  expect({ ...outer }).toEqual({ ...inner });
  expect([outer.context, outer.cause]).toEqual(['outer', inner]);
});

test('CirqueError.setSource and setRetry change the error itself', () => {
  const error = new CirqueError('ConnectError');
  expect(error.setSource('Upstream').setRetry(true)).toBe(error);
  expect([error.source, error.retry]).toEqual(['Upstream', true]);
});

test('CirqueError.retryable settles a verdict that depends on reuse', () => {
  const error = new CirqueError('ReadError', '', { retry: 'ReusedOnly' });
  expect([error.retryable(true), error.retryable(false)]).toEqual([true, false]);
  expect(error.setRetry(true).retryable(false)).toBe(true);
});

test('CirqueError.rootType and rootCause look to the bottom of the chain', () => {
  const bottom = new Error('bottom');
  const read = CirqueError.upstream('ReadError', '', new Error('middle', { cause: bottom }));
  const outer = CirqueError.because('InternalError', '', read).moreContext('more');
  expect([outer.rootType(), outer.rootCause()]).toEqual(['ReadError', bottom]);
  expect([read.rootType(), CirqueError.from('x').rootCause()]).toEqual(['ReadError', 'x']);
  const alone = CirqueError.http(404);
  expect([alone.rootType(), alone.rootCause()]).toEqual(['HTTPStatus', alone]);
});

test('CirqueError.is and instanceof recognise errors of another copy', async () => {
  const Other = await otherCopy();
  const foreign = new Other('ReadError', 'elsewhere', { retry: 'ReusedOnly', source: 'Upstream' });
  expect(foreign instanceof CirqueError).toBe(true);
  expect(CirqueError.is(foreign)).toBe(true);
  expect(CirqueError.from(foreign)).toBe(foreign);
  const outer = CirqueError.because('InternalError', 'here', foreign);
  expect([outer.retry, outer.rootType()]).toEqual(['ReusedOnly', 'ReadError']);
  expect(outer.toString()).toBe('InternalError context: here cause: Upstream ReadError context: elsewhere');
});

test('CirqueError.is answers for anything without throwing', () => {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  for (const value of [undefined, null, 1, 'x', {}, new Error('x'), CirqueError, proxy, Object.create(null)]) {
    expect(CirqueError.is(value)).toBe(false);
    expect((value as unknown) instanceof CirqueError).toBe(false);
  }
});

test('CirqueError can be extended: instanceof of the subclass is not fooled by the brand', () => {
  class QuotaError extends CirqueError {
    constructor() {
      super('QuotaExceeded', 'too much', { status: 429 });
    }
  }
  const error = new QuotaError();
  expect([error instanceof QuotaError, error instanceof CirqueError]).toEqual([true, true]);
  expect(new CirqueError('ReadError') instanceof QuotaError).toBe(false);
});

test('CirqueError.from turns whatever was thrown into an error', () => {
  const boom = new TypeError('boom');
  const error = CirqueError.from(boom, 'InternalError', 'Internal');
  expect([error.type, error.source, error.cause]).toEqual(['InternalError', 'Internal', boom]);
  expect(CirqueError.from('text').toString()).toBe('UnknownError cause: string text');
  expect(CirqueError.from(undefined).toString()).toBe('UnknownError context: undefined was thrown');
  expect(CirqueError.from(null).toString()).toBe('UnknownError cause: object null');
  expect(CirqueError.from({ toString: 5 }).message).toBe('UnknownError: object that cannot be printed');
});

test('CirqueError.from returns ours as it is, filling in a source that nobody had set', () => {
  const unset = CirqueError.http(403);
  expect(CirqueError.from(unset, 'InternalError', 'Downstream')).toBe(unset);
  expect(unset.source).toBe('Downstream');
  expect(CirqueError.from(unset, 'InternalError', 'Upstream').source).toBe('Downstream');
});
