export {
  type PhaseMessage,
  PROXY_CHANNELS,
  phaseChannelName,
  type RequestMessage,
} from './diagnostics.ts';
export { addForwarded, addVia, addXForwarded, clientAddress, type ForwardedOptions } from './forwarded.ts';
export { HttpModules, ModuleChain } from './http-modules.ts';
export { HttpProxy, type LiveProxyOptions, type ProxyInternals } from './http-proxy.ts';
export { PHASES, type PhaseName, type PhaseRow } from './phases.ts';
export { defineProxy, type FailToProxy, type NoAnswer, ProxyHttp, type ProxyPhases } from './proxy-http.ts';
export type { HttpProxyOptions } from './proxy-options.ts';
export { REPLAY_BUFFER_BYTES } from './replay-buffer.ts';
export type { ProxyStats } from './request-counters.ts';
export { type HttpProxyService, type HttpProxyServiceOptions, httpProxyService } from './service.ts';
export { Session } from './session.ts';
export {
  MAX_SUBREQUEST_DEPTH,
  type SubrequestInit,
  type SubrequestOptions,
  type SubrequestOutcome,
  SubrequestResponse,
} from './subrequest.ts';
export { SubrequestBody } from './subrequest-body.ts';
export { type TrustedProxies, trustedProxies } from './trusted-proxies.ts';
