// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are the variables of a configuration file.
import { HeaderMap, RequestHeader } from '@cirque/http';
import type { Session } from '@cirque/proxy';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type RedirectFacts, redirectOf } from './redirect.ts';

function facts(target: string, host = 'a.example', groups?: readonly string[]): RedirectFacts {
  const requestHeader = new RequestHeader('GET', target, HeaderMap.from([['Host', host]]));
  const session = { requestHeader, requestId: 'id', digest: { ssl: undefined } } as unknown as Session;
  return { session, clientIp: '192.0.2.1', path: requestHeader.path, groups };
}

describe('redirectOf', () => {
  it.each([
    ['/new', '/old?x=1', undefined, '/new'],
    ['https://${host}${path}${query}', '/a/b?x=1', undefined, 'https://a.example/a/b?x=1'],
    ['https://${host}${path}${query}', '/a/b', undefined, 'https://a.example/a/b'],
    ['${scheme}://b.example/', '/a', undefined, 'http://b.example/'],
    ['/new/$1', '/old/x', ['/old/x', 'x'], '/new/x'],
    ['/new/$2', '/old/x', ['/old/x', 'x'], '/new/'],
    ['/new/$1', '/old/x', undefined, '/new/'],
    ['/$1', '/go//evil.example', ['', '/evil.example'], '/evil.example'],
    ['/$1', '/x', ['', '/\\evil.example'], '/evil.example'],
    ['$1', '/x', ['', '//evil.example'], '/evil.example'],
    ['${path}', '//evil.example/x', undefined, '/evil.example/x'],
    ['//b.example${path}', '/x', undefined, '//b.example/x'],
    ['HTTPS://b.example', '/x', undefined, 'HTTPS://b.example'],
    ['https://b.example${path}', '*', undefined, 'https://b.example/'],
    ['/new#part', '/x', undefined, '/new#part'],
    ['/ä', '/x', undefined, '/%C3%A4'],
    ['/$${host}', '/x', undefined, '/$%7Bhost%7D'],
    ['/a$$1', '/x', ['', 'y'], '/a$1'],
    // What came from the client is no template any more.
    ['/$1', '/x', ['', '${host}$0'], '/$%7Bhost%7D$0'],
  ])('redirectOf %s, asked for %s with the groups %j, leads to %s', (location, target, groups, expected) => {
    expect(redirectOf(location)(facts(target, 'a.example', groups))).toBe(expected);
  });

  it('redirectOf refuses a variable that it does not know', () => {
    expect(() => redirectOf('/${user}')).toThrow(
      /variable \$\{user\} is unknown here: expected one of \$\{client_ip\}/,
    );
  });

  it('redirectOf names no other host where the request has none', () => {
    const redirect = redirectOf('https://${host}${path}');
    expect(() => redirect(facts('/evil.example', ''))).toThrow(/needs a Host/);
    expect(redirectOf('https://b.example${path}')(facts('/x', ''))).toBe('https://b.example/x');
  });

  it('redirectOf never ends the line, and a location on this host stays on it', () => {
    const texts = fc.string({
      unit: fc.constantFrom('/', '\\', '\r', '\n', ' ', 'a', ':', '$', '{', 'ä', '%', '#', '?'),
    });
    fc.assert(
      fc.property(texts, (group) => {
        const location = redirectOf('$1')(facts('/x', 'a.example', ['', group]));
        expect(location).toMatch(/^[\x21-\x7e]+$/);
        expect(new URL(location, 'http://a.example/').host).toBe('a.example');
        expect(location).not.toContain('#');
      }),
      { numRuns: 1_000 },
    );
  });
});
