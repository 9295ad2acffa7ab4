/**
 * What became of the sessions and datagrams of one service, on this thread: plain numbers, raised where it happens.
 */
import type { StatsTree } from '@cirque/core';
import type { UdpCloseReason } from '../udp-session.ts';

/**
 * Why a datagram was dropped: `filter` (a phase said so), `queue` (too much waits for an upstream), `send` (the system did not
 * take it), `refused` (its client gets no session: sessionFilter), `perClient` (the client has maxSessionsPerClient), `noPort` (it
 * came from port 0, to which nothing can be sent), `stopping` (the service has stopped receiving).
 */
export type UdpDropReason = 'filter' | 'queue' | 'send' | 'refused' | 'perClient' | 'noPort' | 'stopping';

/** See the file's head. */
export class UdpCounters {
  opened = 0;
  readonly closed: Record<UdpCloseReason, number> = {
    idle: 0,
    answered: 0,
    upstream: 0,
    client: 0,
    evicted: 0,
    filtered: 0,
    shutdown: 0,
    closed: 0,
    error: 0,
  };
  /** Sessions that sessionFilter refused; not among the closed. */
  refused = 0;
  /** Sessions that have a socket of their own now, and those for which the system gave none. */
  ownSockets = 0;
  ownSocketsFailed = 0;
  /** Further attempts of failToSend or upstreamPeer. */
  retries = 0;
  fromClient = 0;
  toUpstream = 0;
  fromUpstream = 0;
  toClient = 0;
  bytesFromClient = 0;
  bytesToUpstream = 0;
  bytesFromUpstream = 0;
  bytesToClient = 0;
  readonly dropped: Record<UdpDropReason, number> = {
    filter: 0,
    queue: 0,
    send: 0,
    refused: 0,
    perClient: 0,
    noPort: 0,
    stopping: 0,
  };

  /** @param open sessions that are open now. */
  stats(open: number, queuedBytes: number): StatsTree {
    const { opened, closed, refused, ownSockets, ownSocketsFailed, retries, dropped } = this;
    const { fromClient, toUpstream, fromUpstream, toClient } = this;
    const { bytesFromClient, bytesToUpstream, bytesFromUpstream, bytesToClient } = this;
    return {
      sessions: { open, opened, refused, retries, ownSockets, ownSocketsFailed, closed: { ...closed } },
      datagrams: { fromClient, toUpstream, fromUpstream, toClient, dropped: { ...dropped } },
      bytes: {
        fromClient: bytesFromClient,
        toUpstream: bytesToUpstream,
        fromUpstream: bytesFromUpstream,
        toClient: bytesToClient,
        queued: queuedBytes,
      },
    };
  }
}
