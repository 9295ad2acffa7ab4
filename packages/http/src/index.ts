export { nameBit } from './field-block.ts';
export { HeaderMap } from './header-map.ts';
export {
  type ConnectionOptions,
  HOP_BY_HOP_FIELDS,
  MAX_CONNECTION_OPTIONS,
  parseConnectionOptions,
} from './hop-by-hop.ts';
export type { FilteredPiece, HttpModule, HttpModuleBuilder, MaybePromise } from './http-module.ts';
export { latin1 } from './latin1.ts';
export { type HttpVersion, MessageHeader } from './message-header.ts';
export { RequestHeader } from './request-header.ts';
export { ResponseHeader } from './response-header.ts';
export { parseTarget, type Target } from './target.ts';
export { forwardableTrailers, mayTrail } from './trailers.ts';
export {
  assertField,
  isFieldValue,
  isHostValue,
  isToken,
  parseContentLength,
  TARGET_BYTES,
  TOKEN_BYTES,
  trimBlanks,
  VALUE_BYTES,
} from './validate.ts';
