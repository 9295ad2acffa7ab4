/**
 * How proxy servers are made, under all the names that http-proxy has for it.
 */
import { ProxyServer } from './proxy-server.ts';
import type { ServerOptions } from './server-options.ts';

/**
 * A proxy server in the manner of http-proxy.
 *
 * @throws TypeError or RangeError naming the option that does not work.
 * @example createProxyServer({ target: 'http://127.0.0.1:9000', ws: true }).listen(8080)
 */
export function createProxyServer(options: ServerOptions = {}): ProxyServer {
  return new ProxyServer(options);
}

/** For `import httpProxy from '@cirque/adapters/http-proxy'`. */
export const httpProxy: {
  readonly createProxyServer: typeof createProxyServer;
  readonly createServer: typeof createProxyServer;
  readonly createProxy: typeof createProxyServer;
} = { createProxyServer, createServer: createProxyServer, createProxy: createProxyServer };
