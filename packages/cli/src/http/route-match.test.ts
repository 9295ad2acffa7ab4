import { HeaderMap, RequestHeader } from '@cirque/http';
import { describe, expect, it } from 'vitest';
import type { HeaderMatchConfig, HttpMatchConfig } from '../config/gateway-config.ts';
import { firstSegment, RouteMatch } from './route-match.ts';

const ALL: HttpMatchConfig = {
  hosts: undefined,
  path: undefined,
  exact: undefined,
  regex: undefined,
  methods: undefined,
  headers: {},
};
const HEADER: HeaderMatchConfig = { exact: undefined, regex: undefined, present: undefined };

function fits(
  config: Partial<HttpMatchConfig>,
  path: string,
  method = 'GET',
  fields: [string, string][] = [],
): boolean {
  return new RouteMatch({ ...ALL, ...config }).fits(new RequestHeader(method, path, HeaderMap.from(fields)), path);
}

describe('RouteMatch', () => {
  it.each([
    [{ path: '/' }, '/', true],
    [{ path: '/' }, '/x', true],
    [{ path: '/' }, '*', true],
    [{ path: '/api' }, '/api', true],
    [{ path: '/api' }, '/api/', true],
    [{ path: '/api' }, '/api/x', true],
    [{ path: '/api' }, '/apix', false],
    [{ path: '/api' }, '/api.x', false],
    [{ path: '/api' }, '/ap', false],
    [{ path: '/api' }, '/x/api', false],
    [{ path: '/api' }, '/API', false],
    [{ path: '/api' }, '*', false],
    [{ path: '/api/' }, '/api', false],
    [{ path: '/api/' }, '/api/', true],
    [{ path: '/api/' }, '/api/x', true],
    [{ path: '/a/b' }, '/a/b/c', true],
    [{ path: '/a/b' }, '/a/bc', false],
    [{ path: '/a//b/./%63' }, '/a/b/c', true],
    [{ exact: '/a' }, '/a', true],
    [{ exact: '/a' }, '/a/', false],
    [{ exact: '/a/' }, '/a', false],
    [{ exact: '/a/' }, '/a/', true],
    [{ exact: '/' }, '/', true],
    [{ exact: '/' }, '/x', false],
    [{ regex: '^/u/[0-9]+$' }, '/u/12', true],
    [{ regex: '^/u/[0-9]+$' }, '/u/x', false],
    [{ regex: 'png$' }, '/a/b.png', true],
    [{ path: '/u', regex: '[0-9]$' }, '/u/1', true],
    [{ path: '/u', regex: '[0-9]$' }, '/v/1', false],
    [{ path: '/u', regex: '[0-9]$' }, '/u/x', false],
  ] satisfies [Partial<HttpMatchConfig>, string, boolean][])(
    'RouteMatch of %j for %s is %s',
    (config, path, expected) => {
      expect(fits(config, path)).toBe(expected);
    },
  );

  it.each([
    [['GET'], 'GET', true],
    [['GET'], 'HEAD', false],
    [['GET', 'HEAD'], 'HEAD', true],
    [['GET'], 'get', false],
    [['PROPFIND'], 'PROPFIND', true],
  ])('RouteMatch of the methods %j for %s is %s', (methods, method, expected) => {
    expect(fits({ methods }, '/', method)).toBe(expected);
  });

  it.each([
    [{ exact: '1' }, [['X-Beta', '1']], true],
    [{ exact: '1' }, [['x-beta', '1']], true],
    [{ exact: '1' }, [['X-Beta', '2']], false],
    [{ exact: '1' }, [], false],
    [
      { exact: '1, 2' },
      [
        ['X-Beta', '1'],
        ['x-beta', '2'],
      ],
      true,
    ],
    [{ regex: '^v[0-9]$' }, [['X-Beta', 'v2']], true],
    [{ regex: '^v[0-9]$' }, [['X-Beta', 'v']], false],
    [{ regex: '^v' }, [['X-Beta', 'v'.repeat(4_096)]], true],
    [{ regex: '^v' }, [['X-Beta', 'v'.repeat(4_097)]], false],
    [{ regex: '.*' }, [], false],
    [{ present: true }, [['X-Beta', '']], true],
    [{ present: true }, [], false],
    [{ present: false }, [], true],
    [{ present: false }, [['X-Beta', '']], false],
  ] satisfies [Partial<HeaderMatchConfig>, [string, string][], boolean][])(
    'RouteMatch of the field %j for %j is %s',
    (config, fields, expected) => {
      expect(fits({ headers: { 'x-beta': { ...HEADER, ...config } } }, '/', 'GET', fields)).toBe(expected);
    },
  );

  it.each([
    [{}, undefined],
    [{ path: '/' }, undefined],
    [{ path: '/api' }, 'api'],
    [{ path: '/api/' }, 'api'],
    [{ path: '/a/b' }, 'a'],
    [{ exact: '/' }, ''],
    [{ exact: '/a/b' }, 'a'],
    [{ regex: '^/a' }, undefined],
    [{ path: '/a', regex: 'x' }, 'a'],
  ] satisfies [Partial<HttpMatchConfig>, string | undefined][])(
    'RouteMatch of %j has the segment %s',
    (config, segment) => {
      expect(new RouteMatch({ ...ALL, ...config }).segment).toBe(segment);
    },
  );

  it('RouteMatch has the groups of its regular expression', () => {
    const match = new RouteMatch({ ...ALL, regex: '^/(a)?/(.*)$' });
    expect([...(match.groups('//x') ?? [])]).toEqual(['//x', undefined, 'x']);
    expect(match.groups('nothing')).toBeUndefined();
    expect(new RouteMatch(ALL).groups('/x')).toBeUndefined();
  });

  it('RouteMatch refuses paths that never fit, and patterns that are none', () => {
    expect(() => new RouteMatch({ ...ALL, path: 'api' })).toThrow(/path "api" of a route never fits/);
    expect(() => new RouteMatch({ ...ALL, exact: '/../x' })).toThrow(/path "\/..\/x" of a route never fits/);
    expect(() => new RouteMatch({ ...ALL, regex: '(' })).toThrow(SyntaxError);
  });
});

describe('firstSegment', () => {
  it.each([
    ['/', ''],
    ['/a', 'a'],
    ['/a/', 'a'],
    ['/a/b', 'a'],
    ['*', ''],
  ])('firstSegment of %s is "%s"', (path, segment) => {
    expect(firstSegment(path)).toBe(segment);
  });
});
