/**
 * The routes of a listener as they are between two reloads, and what holds for all of them. Never changes.
 */
import type { RequestHeader } from '@cirque/http';
import { type TrustedProxies, trustedProxies } from '@cirque/proxy';
import type { HttpListenerConfig } from '../config/gateway-config.ts';
import { hostOf } from '../upstreams/selection-key.ts';
import type { UpstreamLookup } from '../upstreams/upstream-lookup.ts';
import { type ForwardedFields, forwardedFieldsOf } from './forwarded-fields.ts';
import { type Route, routeOf } from './route.ts';
import { RouteIndex } from './route-index.ts';

/** See the file's head. */
export class RouteTable {
  readonly trusted: TrustedProxies;
  readonly forwarded: ForwardedFields | undefined;
  /** Some route compresses. */
  readonly compresses: boolean;
  /** Some route looks at paths, or changes them: they are seen in their normal form. */
  readonly readsPaths: boolean;
  /** Some route tries a pattern on paths. */
  readonly hasPatterns: boolean;
  readonly #index: RouteIndex<Route>;

  /** @throws TypeError naming the route and what cannot work. */
  constructor(listener: HttpListenerConfig, upstreams: UpstreamLookup) {
    const routes = listener.routes.map((route) => routeOf(route, upstreams));
    this.trusted = trustedProxies(listener.trustedProxies);
    this.forwarded = forwardedFieldsOf(listener.forwarded, this.trusted);
    this.compresses = routes.some(({ compression }) => compression);
    this.readsPaths = routes.some(({ match, proxy }) => match.readsPath || proxy?.rewrite !== undefined);
    this.hasPatterns = routes.some(({ match }) => match.hasPattern);
    this.#index = new RouteIndex(routes);
  }

  /** The first route that fits. `path`: in its normal form. */
  find(request: RequestHeader, path: string): Route | undefined {
    const host = this.#index.readsHosts ? hostOf(request.headers) : undefined;
    for (const route of this.#index.candidates(host, path)) if (route.match.fits(request, path)) return route;
    return undefined;
  }
}
