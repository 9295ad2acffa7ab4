/**
 * What a session needs of the service it belongs to.
 */

import type { CirqueError } from '@cirque/error';
import type { Resolver } from '@cirque/pool';
import type { Clock, TimerWheel } from '@cirque/timeout';
import type { ResolvedUdpOptions } from '../udp-options.ts';
import type { LocalEnd } from './connected-socket.ts';
import type { QueueBudget } from './datagram-queue.ts';
import type { Flow } from './flow.ts';
import type { UdpCounters } from './udp-counters.ts';
import type { UdpHooks } from './udp-hooks.ts';

/** See the file's head. */
export interface FlowHost<Ctx> {
  readonly options: ResolvedUdpOptions;
  readonly hooks: UdpHooks<Ctx>;
  readonly counters: UdpCounters;
  /** Of what waits. */
  readonly budget: QueueBudget;
  readonly resolver: Resolver;
  readonly clock: Clock;
  readonly wheel: TimerWheel | undefined;
  /** Something has passed. */
  touched(flow: Flow<Ctx>): void;
  /** It has passed sessionFilter. */
  opened(flow: Flow<Ctx>): void;
  /** It is over. */
  ended(flow: Flow<Ctx>): void;
  /** It had passed sessionFilter, is over, and no phase of it is under way: the time for `logging`. */
  told(flow: Flow<Ctx>, error: CirqueError | undefined, ctx: Ctx | undefined): void;
  /** With which datagram a client gets a socket of its own. */
  readonly ownSocketFrom: number;
  /** True when a session may have a socket of its own. */
  mayOwnSocket(): boolean;
  /** The system gave none. */
  ownSocketFailed(error: NodeJS.ErrnoException): void;
  /** The system has no port or descriptor left: ends the session that was idle the longest, but not this one. */
  makeRoom(flow: Flow<Ctx>): boolean;
  /** Where the next socket to an upstream of this address family is bound; undefined: anywhere. */
  sourceFor(upstream: string): LocalEnd | undefined;
}
