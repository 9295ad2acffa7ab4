/**
 * One route, made ready: what it is for, and what becomes of a request.
 */
import type { HttpRouteConfig, ProxyActionConfig } from '../config/gateway-config.ts';
import type { HttpPeers, UpstreamGroup } from '../upstreams/upstream-group.ts';
import type { UpstreamLookup } from '../upstreams/upstream-lookup.ts';
import { type HeaderEdits, headerEditsOf } from './header-edits.ts';
import { type HostPolicy, hostPolicyOf } from './host-policy.ts';
import { type Answer, redirectAnswerOf, respondOf } from './respond.ts';
import { type Rewrite, rewriteOf } from './rewrite.ts';
import { RouteMatch } from './route-match.ts';

/** Passes requests to a group of servers. */
export interface ProxyAction {
  readonly group: UpstreamGroup;
  readonly peers: HttpPeers;
  readonly rewrite: Rewrite | undefined;
  readonly host: HostPolicy;
  readonly retries: number;
}

/** See the file's head. */
export interface Route {
  readonly name: string;
  readonly hosts: readonly string[] | undefined;
  readonly segment: string | undefined;
  readonly match: RouteMatch;
  /** One of these two. */
  readonly proxy: ProxyAction | undefined;
  readonly answer: Answer | undefined;
  readonly requestEdits: HeaderEdits | undefined;
  readonly responseEdits: HeaderEdits | undefined;
  readonly maxBodyBytes: number;
  readonly compression: boolean;
}

/** @throws TypeError, SyntaxError or CirqueError naming the route and what cannot work. */
export function routeOf(config: HttpRouteConfig, upstreams: UpstreamLookup): Route {
  try {
    const { action, match } = config;
    const responseEdits = headerEditsOf(config.responseHeaders);
    const matcher = new RouteMatch(match);
    return {
      name: config.name,
      hosts: match.hosts,
      segment: matcher.segment,
      match: matcher,
      proxy: action.kind === 'proxy' ? proxyActionOf(action, upstreams) : undefined,
      answer:
        action.kind === 'redirect'
          ? redirectAnswerOf(action, responseEdits)
          : action.kind === 'respond'
            ? respondOf(action, responseEdits)
            : undefined,
      requestEdits: headerEditsOf(config.requestHeaders),
      responseEdits,
      maxBodyBytes: config.maxBodyBytes,
      compression: config.compression,
    };
  } catch (cause) {
    throw new TypeError(`route ${config.name}: ${(cause as Error).message}`, { cause });
  }
}

function proxyActionOf(action: ProxyActionConfig, upstreams: UpstreamLookup): ProxyAction {
  const group = upstreams(action.upstream);
  return {
    group,
    peers: group.httpPeers(action.readTimeoutMs),
    rewrite: rewriteOf(action.rewrite),
    host: hostPolicyOf(action.host, group.config.tls !== undefined),
    retries: action.retries,
  };
}
