/**
 * What all requests of one proxy share.
 */
import type { AccessLog, Logger } from '@cirque/core';
import type { HttpModuleBuilder } from '@cirque/http';
import type { HttpConnector } from '@cirque/pool';
import type { TimerWheel } from '@cirque/timeout';
import type { Hooks } from './hooks.ts';
import type { ExchangeOptions } from './proxy-options.ts';
import type { ProxyCounters } from './request-counters.ts';
import type { RunRequest } from './subrequest.ts';

/** See the file's head. */
export interface ExchangeContext<Ctx> {
  readonly hooks: Hooks<Ctx>;
  /** Builders of the modules of each side, in their order. */
  readonly downstreamModules: readonly HttpModuleBuilder[];
  readonly upstreamModules: readonly HttpModuleBuilder[];
  readonly connector: HttpConnector;
  /** Replaced when the configuration is read again. */
  options: ExchangeOptions;
  readonly counters: ProxyCounters;
  readonly wheel: TimerWheel | undefined;
  /** A phase or the access log may ask for the client's address after the client has left. */
  needsClientAddress: boolean;
  /** Undefined: none is written. */
  accessLog: AccessLog | undefined;
  /** For subrequests: another request through the same proxy. */
  readonly run: RunRequest;
  logger: Logger;
}
