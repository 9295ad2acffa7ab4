export { ChunkedDecoder, type ChunkSink } from './chunked.ts';
export { FieldFacts, INCOMPLETE, type ScanRules, scanFields } from './field-scan.ts';
export {
  CHUNKED,
  type Framing,
  forbidsContentLength,
  hasNoBody,
  requestFraming,
  responseFraming,
  UNTIL_CLOSE,
} from './framing.ts';
export {
  checkHttp1Leniency,
  DEFAULT_HTTP1_LIMITS,
  type Http1Leniency,
  type Http1Limits,
  resolveHttp1Limits,
} from './limits.ts';
export { type DecoderState, MessageDecoder, type MessageSink } from './message-decoder.ts';
export { type ByteSink, MessageWriter } from './message-writer.ts';
export { normaliseFields } from './normalise-fields.ts';
export { RequestDecoder } from './request-decoder.ts';
export { parseRequestHead, type RequestHead, RequestRules, requestHead } from './request-head.ts';
export { ResponseDecoder } from './response-decoder.ts';
export { parseResponseHead, type ResponseHead, ResponseRules, responseHead } from './response-head.ts';
export {
  CHUNKED_LINE,
  CLOSE_LINE,
  chunkSizeLine,
  KEEP_ALIVE_LINE,
  LAST_CHUNK,
  serializeRequestHead,
  serializeResponseHead,
} from './serialize-head.ts';
