// Answers health checks.
import {
  type HttpConnectionApp,
  httpService,
  type ListeningService,
  type PlainResponse,
  type Server,
} from '@cirque/core';

const HEADERS = { 'Content-Type': 'text/plain', 'Cache-Control': 'no-store' };

/**
 * - `/live`: 200 as long as the main thread runs. (It watches the other ones, and replaces those that hang.)
 * - `/ready`: 200 while new requests are welcome, 503 from the moment on in which the server is asked to stop.
 * - `/stats`: the counters of all services and threads, as JSON.
 *
 * It runs on the main thread, whatever `threads` says: few requests, and the counters of all threads are at hand.
 */
export function healthService(server: Server): ListeningService<HttpConnectionApp> {
  return httpService('health', ({ target }) => answer(server, target), { threads: 1 });
}

async function answer(server: Server, target: string): Promise<PlainResponse> {
  switch (target) {
    case '/live':
      return { headers: HEADERS, body: 'alive\n' };
    case '/ready':
      return server.isReady
        ? { headers: HEADERS, body: 'ready\n' }
        : { status: 503, headers: HEADERS, body: 'not ready\n' };
    case '/stats':
      return {
        headers: { ...HEADERS, 'Content-Type': 'application/json' },
        body: `${JSON.stringify(await server.stats(), undefined, 2)}\n`,
      };
    default:
      return { status: 404, headers: HEADERS, body: 'ask for /live, /ready or /stats\n' };
  }
}
