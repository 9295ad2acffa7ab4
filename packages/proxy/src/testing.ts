/**
 * Entry of @cirque/proxy/testing: a proxy is tested without sockets and without waiting. Only re-exports.
 */
export type { TestBody, TestFields, TestFraming } from './testing/message-text.ts';
export type { LogLine } from './testing/recorder.ts';
export type { ScriptedUpstream } from './testing/scripted-upstream.ts';
export { TestClock } from './testing/test-clock.ts';
export type { TestConnection, TestRequest, TestResponse } from './testing/test-connection.ts';
export {
  createTestProxy,
  type TestClientSettings,
  type TestProxy,
  type TestProxySettings,
} from './testing/test-proxy.ts';
export type { UpstreamConnection } from './testing/upstream-connection.ts';
export type {
  ConnectAnswer,
  TestUpstream,
  UpstreamAnswer,
  UpstreamHandler,
  UpstreamRequest,
  UpstreamResponse,
  UpstreamScript,
  UpstreamStep,
} from './testing/upstream-script.ts';
