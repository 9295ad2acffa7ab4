import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hasDotSegment, normalPath } from './normal-path.ts';

const NORMAL: [given: string, path: string, moved?: boolean][] = [
  ['/', '/'],
  ['/a', '/a'],
  ['/a/', '/a/'],
  ['/a/b/c', '/a/b/c'],
  ['/a.b/c..d/...', '/a.b/c..d/...'],
  ['/.well-known/x', '/.well-known/x'],
  ['/..a/b', '/..a/b'],
  ['/a//b', '/a/b'],
  ['//a', '/a'],
  ['///', '/'],
  ['/a///', '/a/'],
  ['/./a', '/a', true],
  ['/a/./b', '/a/b', true],
  ['/a/.', '/a/', true],
  ['/a/./', '/a/', true],
  ['/a/..', '/', true],
  ['/a/../', '/', true],
  ['/a/../b', '/b', true],
  ['/a/b/..', '/a/', true],
  ['/a/b/../c', '/a/c', true],
  ['/a/b/../../c', '/c', true],
  ['/a//../b', '/b', true],
  ['/%61', '/a'],
  ['/%61dmin', '/admin'],
  ['/%7Euser', '/~user'],
  ['/a%2fb', '/a%2Fb'],
  ['/a%2Fb', '/a%2Fb'],
  ['/a%20b', '/a%20b'],
  ['/%c3%a4', '/%C3%A4'],
  ['/%2e/a', '/a', true],
  ['/a/%2e%2e/b', '/b', true],
  ['/a/.%2E/b', '/b', true],
  ['/a/%2e%2E', '/', true],
  ['/%252e%252e/a', '/%252e%252e/a'],
  ['/a\\b', '/a\\b'],
  ['/a;v=1/b', '/a;v=1/b'],
];

const REFUSED: readonly string[] = [
  '/100%',
  '/a%zz',
  '/%2%65%2%65/a',
  '/..',
  '/../',
  '/../a',
  '/a/../..',
  '/a/../../b',
  '/%2e%2e/a',
  '/.%2e',
  '//..',
  '/a/..%2fadmin',
  '/a/..%2Fadmin',
  '/a/%2e%2e%2fadmin',
  '/a/..%5cadmin',
  '/a/..\\admin',
  '/a%2f..%2fb',
  '/a%2f..',
  '/a\\..\\b',
  '/a/..;/admin',
  '/a/..;x=1/admin',
  '/.;/admin',
  '/a/..%3b/admin',
  '/a/.%2fb',
];

describe('normalPath', () => {
  it.each(NORMAL)('normalPath of %s is %s', (given, path, moved = false) => {
    expect(normalPath(given)).toEqual({ path, moved });
  });

  it.each(REFUSED)('normalPath refuses %s', (given) => {
    expect(normalPath(given)).toBeUndefined();
  });

  const pieces = fc.constantFrom(
    '/',
    '.',
    '..',
    'a',
    'b',
    '%2e',
    '%2E',
    '%2f',
    '%5C',
    '\\',
    ';',
    '%61',
    '%',
    '//',
    '~',
  );
  const paths = fc.array(pieces, { maxLength: 12 }).map((parts) => `/${parts.join('')}`);

  it('normalPath of a normal form is that form, and holds no dot segment and no double slash', () => {
    fc.assert(
      fc.property(paths, (given) => {
        const first = normalPath(given);
        if (first === undefined) return;
        expect(first.path).toMatch(/^\//);
        expect(first.path).not.toContain('//');
        expect(hasDotSegment(first.path)).toBe(false);
        expect(normalPath(first.path)).toEqual({ path: first.path, moved: false });
      }),
      { numRuns: 2_000 },
    );
  });

  it('normalPath ends where the URL of the platform ends, for paths of plain segments', () => {
    const segments = fc.array(fc.constantFrom('a', 'b', 'c.d', '.', '..', '%2e', '%2E%2e'), {
      minLength: 1,
      maxLength: 8,
    });
    fc.assert(
      fc.property(segments, fc.boolean(), (list, slash) => {
        const given = `/${list.join('/')}${slash ? '/' : ''}`;
        const normal = normalPath(given);
        if (normal !== undefined) expect(normal.path).toBe(new URL(given, 'http://h').pathname);
      }),
      { numRuns: 1_000 },
    );
  });
});

describe('hasDotSegment', () => {
  it.each(['/.', '/..', '/a/../b', '/a/./b', '/a/..'])('hasDotSegment finds one in %s', (path) => {
    expect(hasDotSegment(path)).toBe(true);
  });
  it.each(['/', '/...', '/.a', '/a..', '/a./b', '/..a/b'])('hasDotSegment finds none in %s', (path) => {
    expect(hasDotSegment(path)).toBe(false);
  });
});
