/**
 * What a test wants of the gateway in peers/gateway.ts. Passed as JSON in a file, so PEM is text here.
 */
import type { TlsSettingsOptions } from '@cirque/core';
import type { PeerOptions } from '@cirque/pool';
import type { HttpProxyServiceOptions } from '@cirque/proxy';

/** Where requests may go. */
export interface GatewayUpstream {
  /** `host:port`. */
  readonly address: string;
  readonly options?: PeerOptions;
}

export interface GatewaySetup {
  /** By name; a request names its own in X-Upstream or as `upstream=` in its query, others go to the first. */
  readonly upstreams: Readonly<Record<string, GatewayUpstream>>;
  /** A second listener with TLS. Default: none. */
  readonly tls?: TlsSettingsOptions;
  readonly proxy?: HttpProxyServiceOptions;
}

/** What the gateway tells of the connection a request came or went by. */
export interface ConnectionFacts {
  /** The version of the request. */
  readonly http?: string;
  /** Which request of its connection it was. */
  readonly number?: number;
  /** Undefined without TLS. */
  readonly tls?: string;
  readonly cipher?: string;
  readonly alpn?: string;
  readonly serverName?: string;
  readonly resumed?: boolean;
  /** The common name of the other side's certificate, and whether it was trusted. */
  readonly peer?: string;
  readonly authorized?: boolean;
  /** Of an upstream: it came from the pool. */
  readonly reused?: boolean;
}

/** A request field for the upstream: the version in which the client has asked. */
export const CLIENT_VERSION = 'x-client-version';

/** Response fields with {@link ConnectionFacts} as JSON. */
export const CLIENT_FACTS = 'x-client-facts';
export const UPSTREAM_FACTS = 'x-upstream-facts';
