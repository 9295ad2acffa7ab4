/**
 * Finds the first route, in the order of the file, that a request may take: among those of its host, and of the first
 * segment of its path. However many routes there are, few are looked at.
 */
import { firstSegment } from './route-match.ts';

/** What the index needs of a route. */
export interface Indexed {
  /** `a.example`, or `*.example` for every name below; `*` or undefined: any. */
  readonly hosts: readonly string[] | undefined;
  /** The first segment of its paths; undefined: any. */
  readonly segment: string | undefined;
}

/** Lists up to this length are looked through as they are. */
const SHORT = 8;

/** The routes of one host. */
class HostRoutes<R extends Indexed> {
  readonly #all: readonly R[];
  /** By first segment; made when a host is asked for the first time, and only for long lists. */
  #bySegment: Map<string, readonly R[]> | undefined;
  /** For all other segments. */
  #others: readonly R[];

  constructor(routes: readonly R[]) {
    this.#all = routes;
    this.#others = routes;
  }

  candidates(path: string): readonly R[] {
    if (this.#all.length <= SHORT) return this.#all;
    this.#bySegment ??= this.#split();
    return this.#bySegment.get(firstSegment(path)) ?? this.#others;
  }

  #split(): Map<string, readonly R[]> {
    const order = new Map(this.#all.map((route, place) => [route, place]));
    const bySegment = Map.groupBy(this.#all, ({ segment }) => segment);
    const others = bySegment.get(undefined) ?? [];
    bySegment.delete(undefined);
    this.#others = others;
    const inOrder = (a: R, b: R): number => (order.get(a) as number) - (order.get(b) as number);
    const merged = (own: R[]): R[] => (others.length === 0 ? own : [...own, ...others].sort(inOrder));
    return new Map([...bySegment].map(([segment, own]) => [segment as string, merged(own)]));
  }
}

/** See the file's head. */
export class RouteIndex<R extends Indexed> {
  readonly #hosts: ReadonlyMap<string, HostRoutes<R>>;
  /** By what follows the star: `.example`. */
  readonly #wildcards: ReadonlyMap<string, HostRoutes<R>>;
  readonly #any: HostRoutes<R>;
  /** Some route is for certain hosts. */
  readonly readsHosts: boolean;

  constructor(routes: readonly R[]) {
    const places = placesByHost(routes);
    const any = places.get(undefined) ?? [];
    const listOf = (name: string): HostRoutes<R> => {
      const found = new Set(any);
      for (const place of places.get(name) ?? []) found.add(place);
      for (const suffix of suffixes(name)) for (const place of places.get(`*${suffix}`) ?? []) found.add(place);
      return new HostRoutes([...found].sort((a, b) => a - b).map((place) => routes[place] as R));
    };
    const names = [...places.keys()].filter((name) => name !== undefined);
    const isWildcard = (name: string): boolean => name.startsWith('*.');
    this.#hosts = new Map(names.filter((name) => !isWildcard(name)).map((name) => [name, listOf(name)]));
    this.#wildcards = new Map(names.filter(isWildcard).map((name) => [name.slice(1), listOf(name)]));
    this.#any = new HostRoutes(any.map((place) => routes[place] as R));
    this.readsHosts = names.length > 0;
  }

  /** The routes that a request may take, in the order of the file. `host`: lower case, without port. */
  candidates(host: string | undefined, path: string): readonly R[] {
    return this.#of(host).candidates(path);
  }

  #of(host: string | undefined): HostRoutes<R> {
    if (host === undefined || !this.readsHosts) return this.#any;
    const exact = this.#hosts.get(host);
    if (exact !== undefined || this.#wildcards.size === 0) return exact ?? this.#any;
    for (let dot = host.indexOf('.'); dot > 0; dot = host.indexOf('.', dot + 1)) {
      const found = this.#wildcards.get(host.slice(dot));
      if (found !== undefined) return found;
    }
    return this.#any;
  }
}

/** The positions of the routes that name a host, by that host in lower case; under undefined those that name none. */
function placesByHost(routes: readonly Indexed[]): Map<string | undefined, number[]> {
  const places = new Map<string | undefined, number[]>();
  routes.forEach(({ hosts }, place) => {
    for (const host of hosts ?? [undefined]) {
      const name = host === '*' ? undefined : host?.toLowerCase();
      const list = places.get(name);
      if (list === undefined) places.set(name, [place]);
      else list.push(place);
    }
  });
  return places;
}

/** `a.b.example` has `.b.example` and `.example`, and so has `*.b.example`. */
function suffixes(name: string): string[] {
  const found: string[] = [];
  for (let dot = name.indexOf('.'); dot >= 0; dot = name.indexOf('.', dot + 1)) found.push(name.slice(dot));
  return found;
}
