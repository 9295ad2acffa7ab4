/**
 * What a TCP proxy counts, for all its connections together and by upstream.
 */
import { PeerTable } from '@cirque/pool';
import type { CloseReason, StreamSession } from '../stream-session.ts';

/** A snapshot of the counters. All but `active` count since the start; connections count when they are over. */
export type StreamStats = {
  /** Connections that were given a context. */
  readonly sessions: number;
  /** Of them, those under way. */
  readonly active: number;
  readonly bytesFromClient: number;
  readonly bytesToClient: number;
  readonly bytesFromUpstream: number;
  readonly bytesToUpstream: number;
  /** Attempts to connect that failed. */
  readonly connectFailures: number;
  /** Attempts beyond the first of a connection. */
  readonly retries: number;
  /** Connections by the reason of their end. */
  readonly ended: Readonly<Record<CloseReason, number>>;
  /** By the address of the upstream. */
  readonly upstreams: Readonly<Record<string, UpstreamStats>>;
};

/** Of one upstream. */
export type UpstreamStats = {
  /** Connections open now. */
  readonly connections: number;
  readonly connects: number;
  readonly connectFailures: number;
};

/** See the file's head. */
export class TcpCounters {
  sessions = 0;
  active = 0;
  bytesFromClient = 0;
  bytesToClient = 0;
  bytesFromUpstream = 0;
  bytesToUpstream = 0;
  connectFailures = 0;
  retries = 0;
  readonly ended: Record<CloseReason, number> = {
    client: 0,
    upstream: 0,
    connect: 0,
    idle: 0,
    shutdown: 0,
    closed: 0,
    limit: 0,
    error: 0,
  };
  readonly upstreams: PeerTable = new PeerTable();

  /** A connection is over. */
  over(session: StreamSession): void {
    this.active -= 1;
    this.bytesFromClient += session.bytesFromClient;
    this.bytesToClient += session.bytesToClient;
    this.bytesFromUpstream += session.bytesFromUpstream;
    this.bytesToUpstream += session.bytesToUpstream;
    this.ended[session.reason ?? 'error'] += 1;
  }

  snapshot(): StreamStats {
    const upstreams: Record<string, UpstreamStats> = {};
    for (const [address, row] of Object.entries(this.upstreams.snapshot())) {
      const { connections, connects, connectFailures } = row;
      upstreams[address] = { connections, connects, connectFailures };
    }
    return { ...this, ended: { ...this.ended }, upstreams };
  }
}
