import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Indexed, RouteIndex } from './route-index.ts';
import { firstSegment } from './route-match.ts';

interface Named extends Indexed {
  readonly name: number;
}

const route = (name: number, hosts: readonly string[] | undefined, segment?: string): Named => ({
  name,
  hosts,
  segment,
});
const names = (routes: readonly Named[]): number[] => routes.map(({ name }) => name);

describe('RouteIndex', () => {
  const index = new RouteIndex([
    route(0, ['a.example']),
    route(1, ['*.example']),
    route(2, undefined),
    route(3, ['b.example', 'A.Example']),
    route(4, ['*.b.example']),
    route(5, undefined),
  ]);

  it.each([
    ['a.example', [0, 1, 2, 3, 5]],
    ['b.example', [1, 2, 3, 5]],
    ['c.example', [1, 2, 5]],
    ['x.b.example', [1, 2, 4, 5]],
    ['x.y.b.example', [1, 2, 4, 5]],
    ['x.a.example', [1, 2, 5]],
    ['example', [2, 5]],
    ['other', [2, 5]],
    ['other.org', [2, 5]],
    ['', [2, 5]],
    ['::1', [2, 5]],
    [undefined, [2, 5]],
  ])('RouteIndex for %s offers %j', (host, expected) => {
    expect(names(index.candidates(host, '/'))).toEqual(expected);
  });

  it('RouteIndex takes a star alone for any host', () => {
    const star = new RouteIndex([route(0, ['*']), route(1, ['a.example'])]);
    expect(names(star.candidates('a.example', '/'))).toEqual([0, 1]);
    expect(names(star.candidates(undefined, '/'))).toEqual([0]);
  });

  it('RouteIndex does not read hosts where no route names one', () => {
    expect(new RouteIndex([route(0, undefined)]).readsHosts).toBe(false);
    expect(index.readsHosts).toBe(true);
    expect(new RouteIndex<Named>([]).candidates('a', '/')).toEqual([]);
  });

  it('RouteIndex looks at few of many', () => {
    const many = Array.from({ length: 1_000 }, (_, at) => route(at, undefined, `s${at}`));
    const byPath = new RouteIndex([...many, route(1_000, undefined)]);
    expect(names(byPath.candidates(undefined, '/s500/x'))).toEqual([500, 1_000]);
    expect(names(byPath.candidates(undefined, '/other'))).toEqual([1_000]);
    const byHost = new RouteIndex(many.map(({ name }) => route(name, [`h${name}.example`])));
    expect(names(byHost.candidates('h7.example', '/'))).toEqual([7]);
  });

  it('RouteIndex offers what going through all routes would find, in their order', () => {
    const host = fc.constantFrom('a.x', 'b.x', 'c.a.x', '*.x', '*.a.x', 'y');
    const one = fc.record({
      hosts: fc.option(fc.uniqueArray(host, { minLength: 1, maxLength: 3 }), { nil: undefined }),
      segment: fc.option(fc.constantFrom('', 'p', 'q', 'r'), { nil: undefined }),
    });
    const fitsHost = (pattern: string, name: string): boolean =>
      pattern.startsWith('*') ? name.endsWith(pattern.slice(1)) : name === pattern;
    fc.assert(
      fc.property(
        fc.array(one, { maxLength: 30 }),
        fc.constantFrom('a.x', 'b.x', 'c.a.x', 'd.c.a.x', 'x', 'y', 'z'),
        fc.constantFrom('/', '/p', '/q/1', '/s'),
        (list, name, path) => {
          const routes = list.map(({ hosts, segment }, at) => route(at, hosts, segment));
          const found = new RouteIndex(routes).candidates(name, path);
          const right = ({ segment }: Named): boolean => segment === undefined || segment === firstSegment(path);
          const expected = routes.filter(
            (candidate) => (candidate.hosts?.some((pattern) => fitsHost(pattern, name)) ?? true) && right(candidate),
          );
          // More may be offered where lists are short; what fits is there, in order.
          expect(names(found.filter(right))).toEqual(names(expected));
        },
      ),
      { numRuns: 1_000 },
    );
  });
});
