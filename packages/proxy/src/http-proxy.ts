/**
 * The application that a proxy service runs: takes requests from core, gives each an exchange.
 */
import {
  type AccessLogTargets,
  type AppContext,
  errorResponse,
  type HttpServerApp,
  type HttpServerOptions,
  type Logger,
  openAccessLog,
  type ServerConfiguration,
  type ServerSession,
  silentLogger,
} from '@cirque/core';
import type { CirqueError } from '@cirque/error';
import { HttpConnector } from '@cirque/pool';
import type { TimerWheel } from '@cirque/timeout';
import type { Digest } from '@cirque/transport';
import { Exchange } from './exchange.ts';
import type { ExchangeContext } from './exchange-context.ts';
import { resolveHooks } from './hooks.ts';
import { HttpModules } from './http-modules.ts';
import { maxForwardsReached } from './max-forwards.ts';
import type { ProxyPhases } from './proxy-http.ts';
import { type ExchangeOptions, type HttpProxyOptions, resolveExchangeOptions } from './proxy-options.ts';
import { ProxyCounters, type ProxyStats } from './request-counters.ts';
import {
  type SubrequestInit,
  type SubrequestOptions,
  type SubrequestOutcome,
  type SubrequestResponse,
  sendSubrequest,
  spawnSubrequest,
} from './subrequest.ts';

/** The options of a proxy that may change while it runs. */
export type LiveProxyOptions = Required<Pick<HttpProxyOptions, 'maxRetries' | 'accessLog'>>;

/** What tests put in the place of the real world. */
export interface ProxyInternals {
  readonly connector?: HttpConnector;
  readonly wheel?: TimerWheel;
  readonly logger?: Logger;
  /** What the options are under another configuration. Default: what they were. */
  readonly liveOptions?: (configuration: ServerConfiguration) => LiveProxyOptions;
}

/** A proxy: the user's phases with the upstream connections of its own. */
export class HttpProxy<Ctx = undefined> implements HttpServerApp {
  readonly serverOptions: HttpServerOptions;
  readonly #context: ExchangeContext<Ctx>;
  readonly #liveOptions: ProxyInternals['liveOptions'];
  #logTargets: AccessLogTargets;
  /** The file of the access log, if it has one; known from the start, as later it may not be allowed to open another. */
  readonly #logPath: string | undefined;

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
      needsClientAddress: false,
      accessLog: undefined,
      connector: internals.connector ?? new HttpConnector(connectorOptions(options, internals.wheel)),
      counters: new ProxyCounters(),
      wheel: internals.wheel,
      run: (downstream, ctx) => this.#run(downstream, ctx),
      logger: internals.logger ?? silentLogger,
    };
    this.#liveOptions = internals.liveOptions;
    this.#logTargets = { logger: this.#context.logger, logs: NO_FILES };
    this.#logPath = typeof resolved.accessLog === 'string' ? resolved.accessLog : undefined;
    this.#use(resolved);
  }

  /** @throws TypeError when the access log cannot be opened. */
  setUp(context: AppContext): void {
    this.#context.logger = context.logger;
    this.#logTargets = context;
    this.#use(this.#context.options);
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

  #use(options: ExchangeOptions): void {
    const context = this.#context;
    const { logging, failToProxy } = context.hooks;
    context.options = options;
    context.accessLog = openAccessLog(options.accessLog, options.accessLogFormat, this.#logTargets);
    context.needsClientAddress = context.accessLog !== undefined || logging !== undefined || failToProxy !== undefined;
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

  /** A snapshot of the counters, as plain data. */
  stats(): ProxyStats {
    return this.#context.counters.snapshot(this.#context.connector.stats);
  }
}

/** Until the service starts, and without one. */
const NO_FILES: AccessLogTargets['logs'] = { open: () => ({ write: () => {} }) };

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
