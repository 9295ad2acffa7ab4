/**
 * Which route of a TCP listener a connection takes, by its first bytes as far as they are there.
 */
import { type TrustedProxies, trustedProxies } from '@cirque/proxy';
import { hostMatches, peekHttpHost, peekTls, startsWith } from '@cirque/stream';
import type { StreamRouteConfig } from '../config/gateway-config.ts';

/** A condition holds, does not, or cannot be judged by so few bytes. */
type Verdict = boolean | 'more';

/** What is known of a connection without its bytes. */
export interface ClientFacts {
  readonly client: string | undefined;
  /** From the handshake, where TLS ends here; its bytes are over then. */
  readonly terminated: { readonly serverName: string | undefined; readonly alpn: string | undefined } | undefined;
}

/** A route, its networks made ready. */
export interface StreamRoute {
  readonly config: StreamRouteConfig;
  /** Whether an address is in the networks of clients; undefined: all are. */
  readonly hasClient: TrustedProxies | undefined;
}

/** Makes routes ready. */
export function streamRoutes(configs: readonly StreamRouteConfig[]): readonly StreamRoute[] {
  return configs.map((config) => ({ config, hasClient: config.clients && trustedProxies(config.clients) }));
}

/** True when some route cannot be judged without looking at bytes. */
export function needsBytes(routes: readonly StreamRoute[], terminated: boolean): boolean {
  return routes.some(({ config: { sni, alpn, httpHost, prefix } }) => {
    const handshake = !terminated && (sni !== undefined || alpn !== undefined);
    return handshake || httpHost !== undefined || prefix !== undefined;
  });
}

/**
 * The first route that fits; undefined when none does; `more` when that cannot be said yet.
 *
 * @param ended no more bytes will be shown.
 */
export function findRoute(
  routes: readonly StreamRoute[],
  facts: ClientFacts,
  seen: Buffer,
  ended: boolean,
): StreamRoute | 'more' | undefined {
  const bytes = new SeenBytes(seen, facts);
  for (const route of routes) {
    const verdict = fits(route, facts, bytes);
    if (verdict === true) return route;
    if (verdict === 'more' && !ended) return 'more';
  }
  return undefined;
}

/** The server name that the client asks for, if its handshake is there. */
export function serverNameOf(facts: ClientFacts, seen: Buffer): string | undefined {
  const hello = new SeenBytes(seen, facts).hello;
  return hello === 'more' ? undefined : hello?.serverName;
}

/** All conditions hold: one that does not decides, whatever the others need. */
function fits({ config, hasClient }: StreamRoute, { client }: ClientFacts, bytes: SeenBytes): Verdict {
  if (hasClient !== undefined && !hasClient(client)) return false;
  let verdict: Verdict = true;
  const { alpn, httpHost, prefix, sni } = config;
  const conditions: (() => Verdict)[] = [];
  if (sni !== undefined) conditions.push(() => bytes.hasServerName(sni));
  if (alpn !== undefined) conditions.push(() => bytes.hasAlpn(alpn));
  if (httpHost !== undefined) conditions.push(() => bytes.hasHttpHost(httpHost));
  if (prefix !== undefined) conditions.push(() => startsWith(bytes.seen, prefix));
  for (const condition of conditions) {
    const one = condition();
    if (one === false) return false;
    if (one === 'more') verdict = 'more';
  }
  return verdict;
}

/** Reads each protocol once, however many routes ask. */
class SeenBytes {
  readonly seen: Buffer;
  readonly #facts: ClientFacts;
  #hello: ReturnType<typeof peekTls> | 'unread' = 'unread';
  #host: ReturnType<typeof peekHttpHost> | 'unread' = 'unread';

  constructor(seen: Buffer, facts: ClientFacts) {
    this.seen = seen;
    this.#facts = facts;
  }

  /** The handshake of the client: here, or the one that passes through. */
  get hello(): ReturnType<typeof peekTls> {
    const { terminated } = this.#facts;
    if (terminated !== undefined) {
      const { serverName, alpn } = terminated;
      return { ...(serverName === undefined ? {} : { serverName }), alpn: alpn === undefined ? [] : [alpn] };
    }
    if (this.#hello === 'unread') this.#hello = peekTls(this.seen);
    return this.#hello;
  }

  hasServerName(patterns: readonly string[]): Verdict {
    const { hello } = this;
    if (hello === 'more' || hello === undefined) return hello ?? false;
    const { serverName } = hello;
    return serverName !== undefined && patterns.some((pattern) => hostMatches(pattern, serverName));
  }

  hasAlpn(protocols: readonly string[]): Verdict {
    const { hello } = this;
    if (hello === 'more' || hello === undefined) return hello ?? false;
    return hello.alpn.some((protocol) => protocols.includes(protocol));
  }

  hasHttpHost(patterns: readonly string[]): Verdict {
    if (this.#host === 'unread') this.#host = peekHttpHost(this.seen);
    const host = this.#host;
    if (host === 'more' || host === undefined) return host ?? false;
    return patterns.some((pattern) => hostMatches(pattern, host));
  }
}
