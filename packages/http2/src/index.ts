/** Entry of @cirque/http2. Only re-exports. */
export { ErrorCode, errorCodeName } from './error-code.ts';
export { PREFACE } from './frame.ts';
export { Http2Connection, type Http2Target } from './http2-connection.ts';
export type { Http2Handler, Http2Sink } from './http2-handler.ts';
export type { Http2Options } from './http2-options.ts';
export type { Http2Stream } from './http2-stream.ts';
export { DEFAULT_HTTP2_LIMITS, type Http2Limits, resolveHttp2Limits } from './limits.ts';
export type { Http2Settings } from './settings.ts';
