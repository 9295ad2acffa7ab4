import { CirqueError } from '@cirque/error';
import { describe, expect, test } from 'vitest';
import { lostError, resetError, rulesError } from './stream-error.ts';

const REFUSED_STREAM = 7;
const HTTP_1_1_REQUIRED = 13;

const sent = { unsent: false, responseStarted: false };
const connection = { answered: true, draining: false, mayDowngrade: true };

describe('resetError', () => {
  test.each([
    ['REFUSED_STREAM', REFUSED_STREAM, sent, connection, true],
    ['any other', 2, sent, connection, false],
    ['any other, on a connection that goes away', 2, sent, { ...connection, draining: true }, 'ReusedOnly'],
    ['on one that goes away and never answered', 2, sent, { ...connection, draining: true, answered: false }, false],
    ['after the response began', 2, { ...sent, responseStarted: true }, { ...connection, draining: true }, false],
    ['HTTP_1_1_REQUIRED', HTTP_1_1_REQUIRED, sent, connection, true],
    ['HTTP_1_1_REQUIRED in vain', HTTP_1_1_REQUIRED, sent, { ...connection, mayDowngrade: false }, false],
  ])('%s', (_, code, stream, facts, retry) => {
    const error = resetError(code, stream, facts);
    expect(error).toMatchObject({ source: 'Upstream', retry });
    expect(error.type).toBe(code === HTTP_1_1_REQUIRED ? 'H2Downgrade' : 'H2Error');
  });

  test('names the code', () => {
    expect(resetError(2, sent, connection).message).toContain('INTERNAL_ERROR');
    expect(resetError(99, sent, connection).message).toContain('code 99');
  });
});

describe('lostError', () => {
  const cause = CirqueError.upstream('ReadError', 'reset');

  test.each([
    ['nothing was sent', { unsent: true, responseStarted: false }, { ...connection, answered: false }, true],
    ['the connection had answered before', sent, connection, 'ReusedOnly'],
    ['it had not', sent, { ...connection, answered: false }, false],
    ['the response had begun', { ...sent, responseStarted: true }, connection, false],
  ])('%s', (_, stream, facts, retry) => {
    expect(lostError(cause, stream, facts)).toMatchObject({ type: 'ReadError', source: 'Upstream', retry, cause });
  });

  test('is another one for each request', () => {
    expect(lostError(cause, sent, connection)).not.toBe(lostError(cause, sent, connection));
  });
});

test('rulesError: says which rule, and is not tried again', () => {
  const error = rulesError('status 101');
  expect(error).toMatchObject({ type: 'InvalidH2', source: 'Upstream', retry: false });
  expect(error.message).toContain('status 101');
});
