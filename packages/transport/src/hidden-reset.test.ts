import { Duplex } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { hidesResets, wasReset } from './hidden-reset.ts';

test.each([
  ['1.51.0', true],
  ['1.51.9', true],
  ['1.9.0', true],
  ['0.99.0', true],
  ['1.52.0', false],
  ['1.100.1', false],
  ['2.0.0', false],
])('hidesResets of libuv %s is %s', (version, hides) => {
  expect(hidesResets(version)).toBe(hides);
});

describe('wasReset', () => {
  function withHandle(handle: unknown): Duplex {
    const duplex = new Duplex({ read() {}, write: (_chunk, _encoding, done) => done() });
    return Object.assign(duplex, { _handle: handle });
  }

  test('wasReset is true for a socket without a peer, until we have ended ourselves', () => {
    const duplex = withHandle({ getpeername: () => -107 });
    expect(wasReset(duplex)).toBe(true);
    duplex.end();
    expect(wasReset(duplex)).toBe(false);
  });

  test.each([
    ['still has a peer', { getpeername: () => 0 }],
    ['is a unix socket', {}],
    ['is closed', null],
    ['is no socket', undefined],
  ])('wasReset is false for a stream that %s', (_, handle) => {
    expect(wasReset(withHandle(handle))).toBe(false);
  });
});
