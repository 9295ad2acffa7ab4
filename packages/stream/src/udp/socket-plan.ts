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
  };
}
