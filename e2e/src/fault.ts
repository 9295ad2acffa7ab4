/**
 * The vocabulary of the fault matrix: between whom something breaks, what is done, and what is to be seen afterwards.
 */
import type { PeerOptions } from '@cirque/pool';
import type { HttpProxyOptions } from '@cirque/proxy';
import type { FaultScene } from './fault-scene.ts';

export type Version = 'h1' | 'h2';

/** The versions on both sides of the proxy. With `tls` both sides are encrypted. */
export interface Pair {
  readonly client: Version;
  readonly origin: Version;
  readonly tls: boolean;
}

/** Everything that a cell of the matrix asserts. What it leaves behind, nothing, is asserted for all. */
export interface Seen {
  /** `answer 200 ok`, `cut 200 hel`, or `nothing`; `left` for a client that has gone itself. */
  readonly client: string;
  /** What has become of the client's connection. `left`: the client has ended it. */
  readonly downstream: 'kept' | 'ended' | 'left';
  /** Of the connection of the first attempt: `kept`, `closed`, `cancelled` (RST_STREAM, and it is kept), or `none`. */
  readonly upstream: string;
  /** Lines of the log, access log included: see {@link FaultScene.log}. */
  readonly log: readonly string[];
  /** Requests that came to the origin. */
  readonly attempts: number;
  /** Upstream connections opened, those to warm the pool included. */
  readonly opened: number;
  /** Upstream connections that are ready for the next request. */
  readonly idle: number;
}

/** One row. */
export interface Fault {
  readonly name: string;
  /** Pairs in which it can happen. Default: all. */
  readonly applies?: (pair: Pair) => boolean;
  /** The pool holds a connection that has served before. */
  readonly warm?: boolean;
  /** The upstream's address does not answer connection attempts. */
  readonly blackHole?: boolean;
  /** For a TLS handshake with the client, in real time. */
  readonly handshakeTimeoutMs?: number;
  readonly proxy?: HttpProxyOptions;
  readonly peer?: PeerOptions;
  /** Ends when everything is done; the outcome is waited for. */
  play(scene: FaultScene): Promise<void>;
  readonly expect: (pair: Pair) => Seen;
}

export function describePair({ client, origin, tls }: Pair): string {
  return `${client} to ${origin}${tls ? ' with TLS' : ''}`;
}
