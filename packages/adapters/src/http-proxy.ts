/** Entry of @cirque/adapters/http-proxy. Only re-exports. */
export { createProxyServer, httpProxy as default } from './http-proxy/create-proxy-server.ts';
export type { ProxyError } from './http-proxy/proxy-error.ts';
export type { ProxyServerEvents, WebErrorCallback, WsErrorCallback } from './http-proxy/proxy-events.ts';
export type { ProxyRequest } from './http-proxy/proxy-request.ts';
export type { ProxyResponse } from './http-proxy/proxy-response.ts';
export { ProxyServer } from './http-proxy/proxy-server.ts';
export type { CookieRewrite, ServerOptions } from './http-proxy/server-options.ts';
export type { ProxyTarget, ProxyTargetDetailed } from './http-proxy/target.ts';
