/**
 * What the phases of a UDP proxy see of their session: who is at both ends, how much has passed, and why it ended.
 *
 * Plain facts and one way to act on them; the relaying is udp/flow.ts.
 */
import type { InetAddress } from '@cirque/transport';

/**
 * Why a session is over.
 *
 * - `idle`: nothing passed for `idleTimeoutMs`;
 * - `answered`: as many answers came as `responses` says;
 * - `upstream`: the upstream said that nobody receives there (ICMP), or could not be reached at all;
 * - `client`: the client's system said so;
 * - `evicted`: there were `maxSessions`, and this one had been idle the longest;
 * - `filtered`: `datagramFromClient` refused the first datagram;
 * - `shutdown`: the service stopped, and its grace period was over;
 * - `closed`: a phase called `session.close()`;
 * - `error`: a phase failed.
 */
export type UdpCloseReason =
  | 'idle'
  | 'answered'
  | 'upstream'
  | 'client'
  | 'evicted'
  | 'filtered'
  | 'shutdown'
  | 'closed'
  | 'error';

/**
 * One client, by address and port, that talks to one of our addresses, and the upstream that was chosen for it. Numbers go on
 * counting until `logging`.
 */
export interface UdpSession {
  /** Names the session in all lines about it; unique over threads and processes. */
  readonly id: string;
  /** The client. IPv4 clients of an address like `[::]` have their IPv4 address here. */
  readonly clientAddress: InetAddress;
  /** The address the service is bound to: a wildcard stays one. */
  readonly localAddress: InetAddress;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  /** How often `upstreamPeer` was asked. */
  readonly attempts: number;
  /** What `upstreamPeer` answered last; undefined before that. */
  readonly upstream: InetAddress | undefined;
  /** Datagrams that came from the client, with those that were dropped later. */
  readonly datagramsFromClient: number;
  readonly bytesFromClient: number;
  /** Datagrams that were given to the system for the upstream; those sent again to another upstream count again. */
  readonly datagramsToUpstream: number;
  readonly bytesToUpstream: number;
  /** Datagrams that came from the upstream, with those that were dropped later. */
  readonly datagramsFromUpstream: number;
  readonly bytesFromUpstream: number;
  /** Datagrams that were given to the system for the client. */
  readonly datagramsToClient: number;
  readonly bytesToClient: number;
  /** Milliseconds from the start to the first datagram of the upstream; undefined when none came. */
  readonly firstAnswerMs: number | undefined;
  /** Milliseconds from the start until now, or until the end. */
  readonly durationMs: number;
  /** Undefined while the session goes on. */
  readonly reason: UdpCloseReason | undefined;
  /** Ends the session now. What the client sends next begins another one. */
  close(): void;
}
