/**
 * The application that a TCP proxy service runs: takes connections from core, gives each its phases.
 */
import {
  type AccessLogTargets,
  type AppContext,
  type Logger,
  type ServerApp,
  type ServerConfiguration,
  silentLogger,
} from '@cirque/core';
import { TransportConnector } from '@cirque/pool';
import { type Clock, systemClock, type TimerWheel } from '@cirque/timeout';
import type { Stream } from '@cirque/transport';
import { bindPhases } from '../phase-hooks.ts';
import { type ResolvedStreamOptions, resolveStreamOptions, type StreamOptions } from '../stream-options.ts';
import { STREAM_PHASES } from '../stream-phases.ts';
import type { StreamPhases } from '../stream-proxy.ts';
import { openConnectionLog } from './connection-log.ts';
import { RelayEnd } from './relay-end.ts';
import { SessionCount } from './session-count.ts';
import { TcpConnection } from './tcp-connection.ts';
import type { TcpContext } from './tcp-context.ts';
import { type StreamStats, TcpCounters } from './tcp-counters.ts';

/** The options that may change while it runs. */
export type LiveStreamOptions = Pick<ResolvedStreamOptions, 'maxRetries' | 'accessLog'>;

/** What tests put in the place of the real world. */
export interface StreamInternals {
  readonly connector?: Pick<TransportConnector, 'open'>;
  readonly clock?: Clock;
  readonly wheel?: TimerWheel;
  readonly logger?: Logger;
  /** What the options are under another configuration. Default: what they were. */
  readonly liveOptions?: (configuration: ServerConfiguration) => LiveStreamOptions;
}

/** A TCP proxy: the user's phases, with the upstream connections of its own. */
export class TcpApp<Ctx = undefined> implements ServerApp {
  readonly reads = 'leased' as const;
  readonly #context: TcpContext<Ctx>;
  readonly #liveOptions: StreamInternals['liveOptions'];
  #logTargets: AccessLogTargets;
  /** The file of the access log, known from the start: later it may not be allowed to open another. */
  readonly #logPath: string | undefined;

  /** @throws TypeError or RangeError for a proxy without its required phases, or for wrong options. */
  constructor(phases: StreamPhases<Ctx>, options: StreamOptions = {}, internals: StreamInternals = {}) {
    const names = STREAM_PHASES.map(({ name }) => name);
    const resolved = resolveStreamOptions(options);
    const { wheel, logger = silentLogger } = internals;
    this.#context = {
      hooks: bindPhases(phases, names, ['newCtx', 'upstreamPeer']),
      options: resolved,
      connector: internals.connector ?? new TransportConnector(connectorOptions(options, wheel)),
      counters: new TcpCounters(),
      open: new SessionCount(),
      clock: internals.clock ?? systemClock,
      wheel,
      logger,
      accessLog: undefined,
    };
    this.#liveOptions = internals.liveOptions;
    this.#logTargets = { logger, logs: NO_FILES };
    this.#logPath = typeof resolved.accessLog === 'string' ? resolved.accessLog : undefined;
    this.#use(resolved);
  }

  /** @throws TypeError when the access log cannot be opened. */
  setUp(context: AppContext): void {
    this.#context.logger = context.logger;
    this.#logTargets = context;
    this.#use(this.#context.options);
  }

  processNew(stream: Stream): void {
    new TcpConnection(stream, this.#context).start();
  }

  /** Connections go on when the service stops, until the time of tunnels is over. */
  shutdownTunnels({ handler }: Stream): void {
    if (handler instanceof TcpConnection) handler.shutDown();
    else if (handler instanceof RelayEnd) handler.shutDown();
  }

  /** The service has stopped when every connection was logged: but for those whose phases do not settle. */
  cleanup(): Promise<void> {
    return this.#context.open.none();
  }

  /**
   * Takes `maxRetries` and `accessLog` over at once, where they were not said in code. A path that was not the one of the
   * start is left alone: it counts from the next start on.
   */
  reconfigure(configuration: ServerConfiguration): void {
    const live = this.#liveOptions?.(configuration);
    if (live === undefined) return;
    const { options } = this.#context;
    const { maxRetries, accessLog } = live;
    const usable = typeof accessLog === 'boolean' || accessLog === this.#logPath;
    this.#use({ ...options, maxRetries, accessLog: usable ? accessLog : options.accessLog });
  }

  /** A snapshot of the counters, as plain data. */
  stats(): { readonly stream: StreamStats } {
    return { stream: this.#context.counters.snapshot() };
  }

  #use(options: ResolvedStreamOptions): void {
    this.#context.options = options;
    this.#context.accessLog = openConnectionLog(options.accessLog, this.#logTargets);
  }
}

/** Until the service starts, and without one. */
const NO_FILES: AccessLogTargets['logs'] = { open: () => ({ write: () => {} }) };

function connectorOptions(
  options: StreamOptions,
  wheel: TimerWheel | undefined,
): ConstructorParameters<typeof TransportConnector>[0] {
  const { clientBindToIpv4 = [], clientBindToIpv6 = [], caFile = '' } = options;
  return {
    bindToIpv4: clientBindToIpv4,
    bindToIpv6: clientBindToIpv6,
    ...(caFile === '' ? {} : { caFile }),
    ...(wheel === undefined ? {} : { wheel }),
  };
}
