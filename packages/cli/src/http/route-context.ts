/**
 * What is kept of one request: its route, its path, its client, and the server in use.
 */
import { CirqueError } from '@cirque/error';
import type { RequestHeader } from '@cirque/http';
import { clientAddress, type Session } from '@cirque/proxy';
import { normalPath } from './normal-path.ts';
import type { RedirectFacts } from './redirect.ts';
import { queryOf } from './request-facts.ts';
import type { Route } from './route.ts';
import { MAX_PATTERN_TEXT } from './route-match.ts';
import type { RouteTable } from './route-table.ts';
import type { UpstreamUse } from './upstream-use.ts';

/** One per request. */
export class RouteContext implements RedirectFacts {
  /** The table when the request came; a reload changes nothing for it. */
  readonly table: RouteTable;
  #session: Session | undefined = undefined;
  /** Undefined before the search, and where no route fits. */
  route: Route | undefined = undefined;
  #searched = false;
  /** The path in its normal form; empty where the table does not look at paths. */
  #path = '';
  #moved = false;
  #clientIp: string | undefined = undefined;
  #clientKnown = false;
  /** The target to send in the place of the client's; undefined: that one. */
  target: string | undefined = undefined;
  use: UpstreamUse | undefined = undefined;

  constructor(table: RouteTable) {
    this.table = table;
  }

  get session(): Session {
    return this.#session as Session;
  }

  /** The route of the request. @throws CirqueError HTTPStatus 400 for a path that has no normal form, 414 for one too long for patterns. */
  find(request: RequestHeader): Route | undefined {
    if (this.#searched) return this.route;
    this.#searched = true;
    if (this.table.readsPaths) this.#see(request.path);
    this.route = this.table.find(request, this.#path);
    return this.route;
  }

  /** Takes the route for this session. @throws CirqueError HTTPStatus 400 when the route makes no path of the given one, 414 as {@link find} does. */
  enter(session: Session, route: Route): void {
    this.#session = session;
    if (route.maxBodyBytes > 0) session.maxRequestBodyBytes = route.maxBodyBytes;
    if (route.proxy === undefined) return;
    const { rewrite } = route.proxy;
    if (rewrite !== undefined && this.#path.startsWith('/')) {
      if (rewrite.hasPattern) refuseLong(this.#path);
      this.target = rewrite.target(this.#path, queryOf(session));
      if (this.target === undefined) throw badPath('the path leads out of its place after the rewrite');
    } else if (this.#moved) {
      this.target = this.#path + queryOf(session);
    }
  }

  /** In its normal form where it had dot segments, otherwise as it came. */
  get path(): string {
    return this.#moved ? this.#path : this.session.requestHeader.path;
  }

  get groups(): readonly (string | undefined)[] | undefined {
    return this.route?.match.groups(this.#path);
  }

  /** The address of the client behind trusted proxies. */
  get clientIp(): string | undefined {
    if (!this.#clientKnown) {
      this.#clientKnown = true;
      this.#clientIp = clientAddress(this.session, this.table.trusted);
    }
    return this.#clientIp;
  }

  #see(path: string): void {
    // `*` of OPTIONS is no path.
    if (!path.startsWith('/')) {
      this.#path = path;
      return;
    }
    const normal = normalPath(path);
    if (normal === undefined)
      throw badPath('the path leads above its root, hides where it leads, or has a percent sign that escapes nothing');
    if (this.table.hasPatterns) refuseLong(normal.path);
    this.#path = normal.path;
    this.#moved = normal.moved;
  }
}

/** The client's fault: daily life, not an error of ours. */
function badPath(why: string): CirqueError {
  return CirqueError.http(400, why, { source: 'Downstream' });
}

/** A pattern could take too long on it. */
function refuseLong(path: string): void {
  if (path.length <= MAX_PATTERN_TEXT) return;
  const why = `the path has ${path.length} characters; ${MAX_PATTERN_TEXT} are the most where a pattern is tried on it`;
  throw CirqueError.http(414, why, { source: 'Downstream' });
}
