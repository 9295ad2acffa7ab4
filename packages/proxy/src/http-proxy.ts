/**
 * The application that a proxy service runs: takes requests from core, gives each an exchange.
 */
import type { AppContext, HttpServerApp, HttpServerOptions, ServerSession } from '@cirque/core';
import { errorResponse, type Logger, silentLogger } from '@cirque/core';
import type { CirqueError } from '@cirque/error';
import { type ConnectorStats, HttpConnector } from '@cirque/pool';
import type { TimerWheel } from '@cirque/timeout';
import type { Digest } from '@cirque/transport';
import { Exchange } from './exchange.ts';
import type { ExchangeContext, ProxyCounters } from './exchange-context.ts';
import { resolveHooks } from './hooks.ts';
import { HttpModules } from './http-modules.ts';
import { maxForwardsReached } from './max-forwards.ts';
import type { ProxyPhases } from './proxy-http.ts';
import { type HttpProxyOptions, resolveExchangeOptions } from './proxy-options.ts';
import {
  type SubrequestInit,
  type SubrequestOptions,
  type SubrequestOutcome,
  type SubrequestResponse,
  sendSubrequest,
  spawnSubrequest,
} from './subrequest.ts';

/** Counters of a proxy and of its upstream connections. */
export interface ProxyStats extends Readonly<ProxyCounters> {
  readonly upstream: ConnectorStats;
}

/** What tests put in the place of the real world. */
export interface ProxyInternals {
  readonly connector?: HttpConnector;
  readonly wheel?: TimerWheel;
  readonly logger?: Logger;
}

/** A proxy: the user's phases with the upstream connections of its own. */
export class HttpProxy<Ctx = undefined> implements HttpServerApp {
  readonly serverOptions: HttpServerOptions;
  readonly #context: ExchangeContext<Ctx>;

  /** @throws TypeError or RangeError for a proxy without its required phases, or for wrong options. */
  constructor(phases: ProxyPhases<Ctx>, options: HttpProxyOptions = {}, internals: ProxyInternals = {}) {
    this.serverOptions = options.server ?? {};
    const hooks = resolveHooks(phases);
    const resolved = resolveExchangeOptions(options);
    const downstreamModules = new HttpModules('downstream modules');
    const upstreamModules = new HttpModules('upstream modules');
    phases.initDownstreamModules?.(downstreamModules);
    phases.initUpstreamModules?.(upstreamModules);
    this.#context = {
      hooks,
      options: resolved,
      downstreamModules: downstreamModules.seal(),
      upstreamModules: upstreamModules.seal(),
      needsClientAddress: resolved.accessLog || hooks.logging !== undefined || hooks.failToProxy !== undefined,
      connector: internals.connector ?? new HttpConnector(connectorOptions(options, internals.wheel)),
      counters: { requests: 0, active: 0, retries: 0, failures: 0, refused: 0 },
      wheel: internals.wheel,
      run: (downstream, ctx) => this.#run(downstream, ctx),
      logger: internals.logger ?? silentLogger,
    };
  }

  setUp(context: AppContext): void {
    this.#context.logger = context.logger;
  }

  processNewHttp(downstream: ServerSession): void {
    if (downstream.requestHeader.method === 'CONNECT' && !this.#context.options.allowConnect) {
      refuse(downstream, 405);
      return;
    }
    if (maxForwardsReached(downstream.requestHeader)) {
      downstream.writeHead(errorResponse(downstream.requestHeader.method === 'TRACE' ? 405 : 200), true);
      downstream.end();
      return;
    }
    new Exchange(downstream, this.#context).start();
  }

  refusedRequest(error: CirqueError, status: number, digest: Digest): void {
    this.#context.counters.refused += 1;
    const facts = { error: error.toString(), status, client: digest.socket.remoteAddress };
    this.#context.logger.info(facts, 'request refused');
  }

  /** Idle upstream connections are closed; those in use end with their requests. */
  httpCleanup(): void {
    this.#context.connector.close();
  }

  /**
   * Sends a request through the phases that no client has made. Give its body to somebody, or up.
   *
   * @throws CirqueError as {@link sendSubrequest}.
   */
  subrequest(request: SubrequestInit<Ctx>, options?: SubrequestOptions): Promise<SubrequestResponse> {
    return sendSubrequest(this.#context.run, request, options);
  }

  /** As {@link subrequest} where the response interests nobody; a rejection may be ignored. */
  spawnBackgroundSubrequest(request: SubrequestInit<Ctx>): Promise<SubrequestOutcome> {
    return spawnSubrequest(this.#context.run, request, undefined);
  }

  #run(downstream: ServerSession, ctx: { readonly value: unknown } | undefined): void {
    const context = this.#context;
    const newCtx = (): Ctx => ctx?.value as Ctx;
    new Exchange(downstream, ctx === undefined ? context : { ...context, hooks: { ...context.hooks, newCtx } }).start();
  }

  /** A snapshot of the counters. */
  get stats(): ProxyStats {
    return { ...this.#context.counters, upstream: this.#context.connector.stats };
  }
}

/** CONNECT is not proxied, and nothing after it is a request. */
function refuse(downstream: ServerSession, status: number): void {
  downstream.disableKeepAlive();
  downstream.writeHead(errorResponse(status), true);
  downstream.end();
}

function connectorOptions(
  options: HttpProxyOptions,
  wheel: TimerWheel | undefined,
): ConstructorParameters<typeof HttpConnector>[0] {
  return {
    poolSize: options.upstreamKeepalivePoolSize ?? 128,
    bindToIpv4: options.clientBindToIpv4 ?? [],
    bindToIpv6: options.clientBindToIpv6 ?? [],
    ...(options.caFile === undefined || options.caFile === '' ? {} : { caFile: options.caFile }),
    ...(options.sslKeyLogFile === undefined ? {} : { sslKeyLogFile: options.sslKeyLogFile }),
    ...(wheel === undefined ? {} : { wheel }),
  };
}
