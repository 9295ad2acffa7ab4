/**
 * What the phases of a TCP proxy see of their connection: who is at both ends, how much has passed, and why it ended.
 *
 * Plain facts and two ways to act on them; the copying is tcp/relay.ts.
 */
import type { Address, Digest, InetAddress, ProxyHeader } from '@cirque/transport';

/**
 * Why a connection is over.
 *
 * - `client`, `upstream`: that side ended or broke it first;
 * - `connect`: no connection to an upstream came about;
 * - `idle`: nothing passed for `idleTimeoutMs`, or `halfCloseTimeoutMs` after one side had ended;
 * - `shutdown`: the service stopped, and its grace period was over;
 * - `closed`, `limit`: a phase called `session.close()`, or `session.close('limit')`;
 * - `error`: a phase failed.
 */
export type CloseReason = 'client' | 'upstream' | 'connect' | 'idle' | 'shutdown' | 'closed' | 'limit' | 'error';

/** The upstream's end of a proxied connection. */
export interface UpstreamEnd {
  /** Of the peer that was chosen. */
  readonly address: Address;
  readonly digest: Digest;
}

/** One proxied TCP connection. Numbers go on counting until `logging`. */
export interface StreamSession {
  /** Names the connection in all lines about it. */
  readonly id: string;
  /** What is known of the client's connection: addresses, TLS, PROXY header. */
  readonly digest: Digest;
  /** The client: from the PROXY header if there was one. Undefined on unix sockets, and for clients that left at once. */
  readonly clientAddress: InetAddress | undefined;
  /** Where the client connected to, as above. */
  readonly localAddress: InetAddress | undefined;
  /** The PROXY header that the connection began with. */
  readonly proxyHeader: ProxyHeader | undefined;
  /** The server name (SNI) of TLS that is terminated here. Of TLS that passes, `peekTls` tells it. */
  readonly serverName: string | undefined;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  /** How often `upstreamPeer` was asked. */
  readonly attempts: number;
  /** Undefined until there is a connection to an upstream; stays known after its end. */
  readonly upstream: UpstreamEnd | undefined;
  /** Bytes read from the client. */
  readonly bytesFromClient: number;
  /** Bytes of the upstream that the system took for the client. */
  readonly bytesToClient: number;
  /** Bytes read from the upstream. */
  readonly bytesFromUpstream: number;
  /** Bytes of the client that the system took for the upstream; a PROXY header is not counted. */
  readonly bytesToUpstream: number;
  /** Milliseconds that the successful attempt took to connect, TLS included; undefined without one. */
  readonly connectMs: number | undefined;
  /** Milliseconds from the start to the first byte of the upstream; undefined when none came. */
  readonly firstByteMs: number | undefined;
  /** Milliseconds from the start until now, or until the end. */
  readonly durationMs: number;
  /** Undefined while the connection goes on. */
  readonly reason: CloseReason | undefined;
  /** Aborted when the connection is over, whatever the reason. Made when it is first asked for. */
  readonly signal: AbortSignal;
  /**
   * The most that is read from the client, in bytes per second on average; 0: no limit. May be set at any time. A limit is
   * exceeded for a moment by up to a quarter of a second's worth and one read (64 KiB).
   */
  uploadRate: number;
  /** The same for what is read from the upstream. */
  downloadRate: number;
  /**
   * Ends the connection now. With an upstream, both sides see a reset, as what has passed may not be all; without one the
   * client's connection is closed.
   */
  close(reason?: 'closed' | 'limit'): void;
}
