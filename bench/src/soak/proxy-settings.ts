/**
 * What a scene of the soak asks of a proxy, in words that fit all of them.
 */

/** Settings of one proxy in one scene. Times are milliseconds. */
export interface ProxySettings {
  /** Listen with TLS. */
  readonly tls: boolean;
  /** Ports of the backends by the beginning of the path; `/` is the rest and comes last. */
  readonly routes: Readonly<Record<string, readonly number[]>>;
  /** For the whole head of a request; for the handshake, too. */
  readonly headTimeoutMs: number;
  /** Between two pieces of a request body. */
  readonly bodyTimeoutMs: number;
  /** While a client takes nothing of its response. */
  readonly writeTimeoutMs: number;
  /** While an upstream says nothing. */
  readonly upstreamTimeoutMs: number;
  /** 0: no limit. */
  readonly maxConnections: number;
  /** Connections of one client address. 0: no limit. */
  readonly maxConnectionsPerClient: number;
  /** 0: no limit. */
  readonly maxBodyBytes: number;
  /** How often backends are looked at. 0: never. */
  readonly healthCheckMs: number;
  /** File descriptors that the process may have. */
  readonly maxDescriptors: number;
  /** Threads of Cirque; the others have one worker. */
  readonly threads: number;
}

/** Generous times and no limits; a scene changes what it is about. */
export const DEFAULT_SETTINGS: Omit<ProxySettings, 'routes' | 'maxDescriptors' | 'threads'> = {
  tls: false,
  headTimeoutMs: 60_000,
  bodyTimeoutMs: 60_000,
  writeTimeoutMs: 60_000,
  upstreamTimeoutMs: 60_000,
  maxConnections: 0,
  maxConnectionsPerClient: 0,
  maxBodyBytes: 0,
  healthCheckMs: 0,
};
