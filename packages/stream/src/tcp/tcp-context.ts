/**
 * What all connections of one TCP proxy share.
 */
import type { Logger } from '@cirque/core';
import type { TransportConnector } from '@cirque/pool';
import type { Clock, TimerWheel } from '@cirque/timeout';
import type { ResolvedStreamOptions } from '../stream-options.ts';
import type { StreamPhases } from '../stream-proxy.ts';
import type { ConnectionLog } from './connection-log.ts';
import type { SessionCount } from './session-count.ts';
import type { TcpCounters } from './tcp-counters.ts';

/** See the file's head. What may change while the proxy runs is not read-only. */
export interface TcpContext<Ctx> {
  readonly hooks: StreamPhases<Ctx>;
  options: ResolvedStreamOptions;
  readonly connector: Pick<TransportConnector, 'open'>;
  readonly counters: TcpCounters;
  /** Connections whose last phase is still to come. */
  readonly open: SessionCount;
  readonly clock: Clock;
  readonly wheel: TimerWheel | undefined;
  logger: Logger;
  /** The access log, if there is one. */
  accessLog: ConnectionLog | undefined;
}
