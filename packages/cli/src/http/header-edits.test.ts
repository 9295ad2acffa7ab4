// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are the variables of a configuration file.
import { HeaderMap, RequestHeader } from '@cirque/http';
import type { Session } from '@cirque/proxy';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { HeaderEditsConfig } from '../config/gateway-config.ts';
import { escapeForField, headerEditsOf } from './header-edits.ts';

const NONE: HeaderEditsConfig = { remove: [], set: {}, add: {} };

function edited(config: Partial<HeaderEditsConfig>, given: [string, string][], clientIp?: string): [string, string][] {
  const headers = HeaderMap.from(given);
  const requestHeader = new RequestHeader('GET', '/p?q=1', HeaderMap.from([['Host', 'a.example:8080']]));
  const digest = { ssl: {} };
  const session = { requestHeader, requestId: 'r-1', digest } as unknown as Session;
  headerEditsOf({ ...NONE, ...config })?.(headers, { session, clientIp });
  return [...headers];
}

describe('headerEditsOf', () => {
  it('headerEditsOf nothing is nothing', () => {
    expect(headerEditsOf(NONE)).toBeUndefined();
  });

  it('headerEditsOf removes, then sets, then adds', () => {
    const config = { remove: ['A', 'B'], set: { B: 'new', C: 'set' }, add: { C: 'added' } };
    const given: [string, string][] = [
      ['a', '1'],
      ['b', '2'],
      ['c', '3'],
      ['c', '4'],
      ['d', '5'],
    ];
    expect(edited(config, given)).toEqual([
      ['c', 'set'],
      ['d', '5'],
      ['B', 'new'],
      ['C', 'added'],
    ]);
  });

  it('headerEditsOf fills in what is known of the request', () => {
    const set = { X: '${client_ip} ${host} ${scheme} ${request_id} ${path}${query} $${host} $1' };
    expect(edited({ set }, [], '192.0.2.7')).toEqual([['X', '192.0.2.7 a.example:8080 https r-1 /p?q=1 ${host} $1']]);
  });

  it('headerEditsOf has an empty value where nothing is known', () => {
    expect(edited({ set: { 'X-Real-IP': '${client_ip}' } }, [['X-Real-IP', 'forged']])).toEqual([['X-Real-IP', '']]);
  });

  it.each(['Content-Length', 'transfer-encoding', 'Connection', 'Upgrade', 'TE', 'Keep-Alive'])(
    'headerEditsOf leaves %s alone',
    (name) => {
      expect(() => headerEditsOf({ ...NONE, set: { [name]: '1' } })).toThrow(/belongs to a single connection/);
      expect(() => headerEditsOf({ ...NONE, remove: [name] })).toThrow(/belongs to a single connection/);
      expect(() => headerEditsOf({ ...NONE, add: { [name]: '1' } })).toThrow(/belongs to a single connection/);
    },
  );

  it('headerEditsOf refuses what can never be sent', () => {
    expect(() => headerEditsOf({ ...NONE, set: { 'a b': '1' } })).toThrow(/is not a token/);
    expect(() => headerEditsOf({ ...NONE, set: { a: '1\r\nb: 2' } })).toThrow(/control character/);
    expect(() => headerEditsOf({ ...NONE, set: { a: '${user}' } })).toThrow(/variable \$\{user\} is unknown/);
  });
});

describe('escapeForField', () => {
  it('escapeForField leaves nothing that could end a field', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const headers = HeaderMap.empty();
        headers.set('X', escapeForField(text));
        expect(headers.serialize().split('\r\n')).toHaveLength(2);
      }),
      { numRuns: 1_000 },
    );
    expect(escapeForField('a\r\nb: c\0')).toBe('ab: c');
  });
});
