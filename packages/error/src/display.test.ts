import fc from 'fast-check';
import { expect, test } from 'vitest';
import { CirqueError } from './cirque-error.ts';
import { describeForeign, escapeText } from './display.ts';

test('escapeText makes line breaks, escapes, separators and direction marks visible', () => {
  expect(escapeText('a\r\n\tb\x1b[31m\x00\x7f\x9b')).toBe('a\\r\\n\\tb\\x1b[31m\\x00\\x7f\\x9b');
  expect(escapeText('\u2028\u2029\u202e\u2066\ud800')).toBe('\\u2028\\u2029\\u202e\\u2066\\ud800');
  expect(escapeText('Größe 日本 😀 \\n')).toBe('Größe 日本 😀 \\n');
});

test('displayChain of anything fits on one printable line', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), fc.anything(), (type, context, cause) => {
      const line = new CirqueError(type, context, { cause }).toString();
      expect(line).not.toMatch(/[\p{Cc}\p{Zl}\p{Zp}\p{Cs}]/u);
    }),
  );
});

test('displayChain leaves out what the error around it has already said', () => {
  const inner = CirqueError.upstream('ReadError', 'reading the head', new Error('read ECONNRESET'));
  expect(inner.toString()).toBe('Upstream ReadError context: reading the head cause: Error: read ECONNRESET');
  expect(inner.moreContext('Peer: 10.0.0.1:80').toString()).toBe(
    'Upstream ReadError context: Peer: 10.0.0.1:80 cause: context: reading the head cause: Error: read ECONNRESET',
  );
  const other = CirqueError.because('InternalError', 'handling it', inner).setSource('Upstream');
  expect(other.toString()).toBe(
    'Upstream InternalError context: handling it cause: ReadError context: reading the head cause: Error: read ECONNRESET',
  );
});

test('displayChain shows statuses, and no source that nobody has set', () => {
  expect(CirqueError.http(503, 'no healthy backend').toString()).toBe('HTTPStatus 503 context: no healthy backend');
  const wrapped = CirqueError.http(400, '', { cause: CirqueError.http(413) });
  expect(wrapped.toString()).toBe('HTTPStatus 400 cause: HTTPStatus 413');
});

test('displayChain follows foreign causes, and stops in a chain without end', () => {
  const foreign = new Error('outer', { cause: new TypeError('inner', { cause: 'a string' }) });
  expect(CirqueError.from(foreign).toString()).toBe(
    'UnknownError cause: Error: outer cause: TypeError: inner cause: string a string',
  );
  const loop = new Error('round');
  loop.cause = loop;
  const line = CirqueError.from(loop).toString();
  expect(line.endsWith(' cause: ...')).toBe(true);
  expect(line.split(' cause: ').length).toBe(17);
});

test('describeForeign names all addresses of a failed connect', () => {
  const both = new AggregateError([
    new Error('connect ECONNREFUSED ::1:9'),
    new Error('connect ECONNREFUSED 127.0.0.1:9'),
  ]);
  expect(describeForeign(both)).toBe('AggregateError [connect ECONNREFUSED ::1:9; connect ECONNREFUSED 127.0.0.1:9]');
  expect(describeForeign(new AggregateError(['a text'], 'several'))).toBe('AggregateError: several [a text]');
});

test('describeForeign survives values that cannot be printed', () => {
  const hostile = {
    toString(): string {
      throw new Error('no');
    },
  };
  expect(describeForeign(hostile)).toBe('object that cannot be printed');
  expect(describeForeign(Object.create(null))).toBe('object that cannot be printed');
  expect(describeForeign(Symbol('x'))).toBe('symbol Symbol(x)');
});
