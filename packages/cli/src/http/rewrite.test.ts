import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RewriteConfig } from '../config/gateway-config.ts';
import { hasDotSegment } from './normal-path.ts';
import { rewriteOf } from './rewrite.ts';

const NOTHING: RewriteConfig = {
  stripPrefix: undefined,
  addPrefix: undefined,
  regex: undefined,
  replacement: undefined,
};

type Case = readonly [config: Partial<RewriteConfig>, path: string, query: string, target: string | undefined];

const CASES: readonly Case[] = [
  [{ stripPrefix: '/api' }, '/api/x', '', '/x'],
  [{ stripPrefix: '/api' }, '/api', '', '/'],
  [{ stripPrefix: '/api' }, '/api/', '', '/'],
  [{ stripPrefix: '/api/' }, '/api/x', '', '/x'],
  [{ stripPrefix: '/api/' }, '/api', '', '/'],
  [{ stripPrefix: 'api' }, '/api/x', '', '/x'],
  [{ stripPrefix: '/api' }, '/apix', '', '/apix'],
  [{ stripPrefix: '/api' }, '/other', '', '/other'],
  [{ stripPrefix: '/' }, '/x', '', '/x'],
  [{ stripPrefix: '/a/b' }, '/a/b/c', '?q=1', '/c?q=1'],
  [{ stripPrefix: '/api' }, '/api/api', '', '/api'],
  [{ stripPrefix: '/%61pi//' }, '/api/x', '', '/x'],
  [{ addPrefix: '/v1' }, '/x', '', '/v1/x'],
  [{ addPrefix: '/v1/' }, '/x', '', '/v1/x'],
  [{ addPrefix: 'v1' }, '/x', '', '/v1/x'],
  [{ addPrefix: '/' }, '/x', '', '/x'],
  [{ addPrefix: '/v1' }, '/', '', '/v1/'],
  [{ addPrefix: '/v1' }, '/x', '?a=b&c=d', '/v1/x?a=b&c=d'],
  [{ stripPrefix: '/old', addPrefix: '/new' }, '/old/x', '', '/new/x'],
  [{ stripPrefix: '/old', addPrefix: '/new' }, '/old', '', '/new/'],
  [{ regex: '^/u/([0-9]+)$', replacement: '/users/$1' }, '/u/7', '', '/users/7'],
  [{ regex: '^/u/([0-9]+)$', replacement: '/users/$1' }, '/u/x', '', '/u/x'],
  [{ regex: '^/u/([0-9]+)$', replacement: '/users?id=$1' }, '/u/7', '', '/users?id=7'],
  [{ regex: '^/u/([0-9]+)$', replacement: '/users?id=$1' }, '/u/7', '?a=b', '/users?id=7&a=b'],
  [{ regex: '^/u/([0-9]+)$', replacement: '/users?' }, '/u/7', '?a=b', '/users?a=b'],
  [{ regex: '^/u/([0-9]+)$', replacement: '/users?' }, '/u/7', '', '/users'],
  [{ regex: '^(/a)?(/b)?$', replacement: '/x$1$2' }, '/b', '', '/x/b'],
  [{ regex: 'b', replacement: 'c' }, '/abab', '', '/acab'],
  [{ regex: '^/', replacement: '' }, '/x', '', '/x'],
  [{ regex: '^.*$', replacement: '' }, '/x', '?q', '/?q'],
  [{ regex: '^/a(.*)$', replacement: '/b/$1' }, '/a/x', '', '/b/x'],
  [{ regex: '^/a(.*)$', replacement: '$1' }, '/a/x', '', '/x'],
  [{ regex: '^/a$', replacement: '/$$1' }, '/a', '', '/$1'],
  [{ regex: '^/(a)$', replacement: '/$0-$1' }, '/a', '', '//a-a'.slice(1)],
  [{ regex: '^/a$', replacement: '/ä b' }, '/a', '', '/%C3%A4%20b'],
  [{ regex: '^/a$', replacement: '/a#b' }, '/a', '', '/a%23b'],
  [{ stripPrefix: '/api', regex: '^/v([0-9])/', replacement: '/version/$1/' }, '/api/v2/x', '', '/version/2/x'],
  [{ addPrefix: '/p' }, '/a%20b', '', '/p/a%20b'],
  [{ addPrefix: '/p' }, '/a|b"c', '', '/p/a%7Cb%22c'],
  // A way out of the place that the file has chosen: refused.
  [{ regex: '^/a(.*)$', replacement: '/files/$1' }, '/a../secret', '', undefined],
  [{ regex: '^/a(.*)$', replacement: '/files/$1' }, '/a..', '', undefined],
  [{ regex: '^/x([a-z]*)(.*)$', replacement: '/.$2' }, '/x./y', '', undefined],
  [{ regex: '^/a(.*)$', replacement: '/files$1' }, '/a../secret', '', '/files../secret'],
];

describe('rewriteOf', () => {
  it('rewriteOf nothing is nothing', () => {
    expect(rewriteOf(undefined)).toBeUndefined();
  });

  it.each(CASES)('rewriteOf %j makes of %s%s the target %s', (config, path, query, target) => {
    expect(rewriteOf({ ...NOTHING, ...config })?.target(path, query)).toBe(target);
  });

  const texts = fc.array(fc.constantFrom('/', '.', '..', 'a', '$1', '$2', '?', '%2F', ' ', 'ä', '$$', '\r\n'), {
    maxLength: 8,
  });
  const paths = fc
    .array(fc.constantFrom('a', 'a..', '..a', 'b', '...'), { maxLength: 5 })
    .map((list) => `/${list.join('/')}`);

  it('rewriteOf anything ends in a target that can be sent and that leads nowhere else', () => {
    fc.assert(
      fc.property(texts, texts, paths, fc.constantFrom('', '?a=b'), (prefix, replacement, path, query) => {
        const config = { regex: '^/a(.*?)(/|$)', replacement: replacement.join(''), addPrefix: prefix.join('') };
        const target = rewriteOf({ ...NOTHING, ...config })?.target(path, query);
        if (target === undefined) return;
        expect(target).toMatch(/^\/[\x21\x22\x24-\x7e]*$/);
        const [end = ''] = target.split('?');
        expect(end).not.toContain('//');
        expect(hasDotSegment(end)).toBe(false);
        if (query !== '') expect(target.endsWith('a=b')).toBe(true);
      }),
      { numRuns: 2_000 },
    );
  });
});
