/**
 * How many sessions one thread may have, and whether clients may have sockets of their own: from the options and from what
 * the system allows.
 */
import { descriptorLimit } from '@cirque/core';
import type { ResolvedUdpOptions } from '../udp-options.ts';

/** See the file's head. */
export interface SocketPlan {
  readonly maxSessions: number;
  /** Sockets of sessions, upstreams and clients together. */
  readonly maxSockets: number;
  readonly ownSockets: boolean;
  /**
   * With which datagram a client gets its own socket. The second one shows that it stays. Where there are other threads the first
   * one: until it has its socket, it might get to another thread while a socket of theirs is being connected.
   */
  readonly ownSocketFrom: 1 | 2;
}

/** The part of the descriptors that sessions may use. */
const SHARE = 3 / 4;

/**
 * The plan of one of so many threads. All of them have one limit of descriptors in common.
 *
 * @param limit of descriptors; undefined where it is not known.
 */
export function socketPlan(
  { maxSessions, sessionSockets }: Pick<ResolvedUdpOptions, 'maxSessions' | 'sessionSockets'>,
  threads: number,
  limit: number | undefined = descriptorLimit(),
  platform: string = process.platform,
): SocketPlan {
  const maxSockets =
    limit === undefined ? Number.POSITIVE_INFINITY : Math.max(1, Math.floor((limit * SHARE) / threads));
  return {
    maxSessions: Math.min(maxSockets, Math.ceil(maxSessions / threads)),
    maxSockets,
    // Elsewhere sockets that share an address are not chosen by whom they are connected to.
    ownSockets: sessionSockets === 'auto' && platform === 'linux',
    ownSocketFrom: threads > 1 ? 1 : 2,
  };
}
