export { isNotModified, toNotModified } from './conditional.ts';
export { type EntityTag, isStrongMatch, listedTags, matchesTagList, parseEntityTag } from './entity-tag.ts';
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
export { ByteRanges, byteRanges } from './modules/byte-ranges.ts';
export { ConditionalRequests, conditionalRequests } from './modules/conditional-requests.ts';
export { parseHttpDate } from './parse-http-date.ts';
export { applyRange, isRangeable, planRange, type RangeOptions, type RangePlan, writeRangeHead } from './range.ts';
export { RangeCutter } from './range-cutter.ts';
export { type ByteRange, parseRangeSet, type RangeSet } from './range-set.ts';
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
