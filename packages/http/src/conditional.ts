/**
 * Conditional requests, answered from a response that is at hand (RFC 9110 section 13; Pingora's conditional_filter).
 *
 * If-None-Match and If-Modified-Since only. If-Match and If-Unmodified-Since guard changes and are the origin's to judge:
 * once there is a response, the change was made.
 */
import { matchesTagList } from './entity-tag.ts';
import { parseHttpDate } from './parse-http-date.ts';
import type { RequestHeader } from './request-header.ts';
import type { ResponseHeader } from './response-header.ts';

/** Fields that describe a body which a 304 does not have (RFC 9110 section 15.4.5). */
const BODY_FIELDS = [
  'Content-Length',
  'Content-Type',
  'Content-Encoding',
  'Content-Language',
  'Content-Range',
  'Content-MD5',
  'Content-Digest',
  'Repr-Digest',
  'Digest',
  'Transfer-Encoding',
  'Trailer',
  'Accept-Ranges',
];

/**
 * True when the client has this response already: a 200 to GET or HEAD whose validator is among those of the request.
 *
 * If-None-Match is compared weakly and comes first; where it is present, If-Modified-Since does not count. The latter holds
 * when it is an HTTP date not earlier than Last-Modified.
 */
export function isNotModified(request: RequestHeader, response: ResponseHeader): boolean {
  if (response.status !== 200 || (request.method !== 'GET' && request.method !== 'HEAD')) return false;
  const tags = request.headers.getAll('If-None-Match');
  if (tags.length > 0) return matchesTagList(tags.join(','), response.getHeader('ETag'));
  const since = request.headers.getAll('If-Modified-Since');
  const modified = response.getHeader('Last-Modified');
  // A list is no date: several lines of it are ignored as one malformed value would be.
  if (since.length !== 1 || modified === undefined) return false;
  const sinceMs = parseHttpDate(since[0] as string);
  const modifiedMs = parseHttpDate(modified);
  return sinceMs !== undefined && modifiedMs !== undefined && modifiedMs <= sinceMs;
}

/** Turns a 200 into the 304 for it: validators, caching fields and cookies stay, what describes the body goes. */
export function toNotModified(response: ResponseHeader): void {
  response.status = 304;
  for (const name of BODY_FIELDS) response.removeHeader(name);
}
