/**
 * What adapters serve: the phases of a proxy, or any application for HTTP requests.
 */
import type { HttpServerApp, Logger } from '@cirque/core';
import { HttpProxy, type HttpProxyOptions, type ProxyPhases } from '@cirque/proxy';

/** An `HttpProxy`, what `fromFetch` makes, any other {@link HttpServerApp}; or the phases of a proxy. */
export type Servable<Ctx = unknown> = HttpServerApp | ProxyPhases<Ctx>;

/** Options of a proxy that an adapter makes of phases; not for applications that are made already. */
export interface AppOptions {
  /** As for `new HttpProxy(phases, options)`. */
  readonly proxy?: HttpProxyOptions;
  /** Gets the lines of the proxy. Default: none. */
  readonly logger?: Logger;
}

/** @throws TypeError or RangeError for what cannot be served, and for wrong options. */
export function appOf<Ctx>(servable: Servable<Ctx>, { proxy, logger }: AppOptions = {}): HttpServerApp {
  if (!isApp(servable)) return new HttpProxy(servable, proxy, logger === undefined ? {} : { logger });
  if (proxy === undefined && logger === undefined) return servable;
  throw new TypeError(
    'options proxy and logger are for phases: the application is made already, so give them to its constructor',
  );
}

function isApp<Ctx>(servable: Servable<Ctx>): servable is HttpServerApp {
  if (typeof servable === 'object' && servable !== null) return 'processNewHttp' in servable;
  throw new TypeError(`cannot serve ${String(servable)}: expected the phases of a proxy or an HTTP application`);
}
