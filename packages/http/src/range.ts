/**
 * Answers a Range request from a whole response: the head of the 206 or 416, and a cutter for the body.
 *
 * RFC 9110 section 14 and 13.1.5; the limits are Pingora's range filter. Pure: what passes the body calls the cutter.
 */
import { randomBytes } from 'node:crypto';
import { isStrongMatch } from './entity-tag.ts';
import { parseHttpDate } from './parse-http-date.ts';
import { type ByteRange, parseRangeSet } from './range-set.ts';
import type { RequestHeader } from './request-header.ts';
import type { ResponseHeader } from './response-header.ts';

/** What to send. `length` is that of the whole body. */
export type RangePlan =
  | { readonly kind: 'whole' }
  | { readonly kind: 'unsatisfiable'; readonly length: number }
  | { readonly kind: 'single'; readonly length: number; readonly range: ByteRange }
  | {
      readonly kind: 'multipart';
      readonly length: number;
      readonly ranges: readonly ByteRange[];
      readonly boundary: string;
      readonly contentType: string | undefined;
    };

export interface RangeOptions {
  /** Requests for more ranges than this get the whole. Default 200. */
  maxRanges?: number;
  /** Makes the boundary between parts: a token. Default 16 random hexadecimal digits. */
  boundary?: () => string;
}

/** Parts of a body, and no longer true of it alone. */
const WHOLE_BODY_FIELDS = ['Content-MD5', 'Content-Digest'];
const NO_BODY_FIELDS = [...WHOLE_BODY_FIELDS, 'Content-Type', 'Content-Encoding', 'Content-Language', 'Repr-Digest'];

/**
 * Decides what of a response a request gets. Everything but a 200 to GET of known, positive length without
 * `Accept-Ranges: none` is sent as it is; so it is when If-Range names another version.
 */
export function planRange(request: RequestHeader, response: ResponseHeader, options: RangeOptions = {}): RangePlan {
  const fields = request.headers.getAll('Range');
  const length = response.headers.contentLength;
  // RFC 9110 section 14.2: GET is the only method with ranges. An empty body has no part that could be named.
  if (fields.length !== 1 || request.method !== 'GET' || !isRangeable(response) || length === 0) return WHOLE;
  if (!isSameVersion(request, response)) return WHOLE;
  const set = parseRangeSet(fields[0] as string, length, options.maxRanges ?? 200);
  if (set === 'ignored') return WHOLE;
  if (set === 'unsatisfiable') return { kind: 'unsatisfiable', length };
  if (set.length === 1) return { kind: 'single', length, range: set[0] as ByteRange };
  // Of several parts in one, nobody could tell whether the parts or the whole is encoded.
  if (response.headers.has('Content-Encoding')) return WHOLE;
  const boundary = options.boundary?.() ?? randomBytes(8).toString('hex');
  return { kind: 'multipart', length, ranges: set, boundary, contentType: response.getHeader('Content-Type') };
}

const WHOLE: RangePlan = { kind: 'whole' };

/** True for a 200 whose body can be cut: its length is known, and the origin does not say that it has no ranges. */
export function isRangeable(response: ResponseHeader): boolean {
  if (response.status !== 200 || !(response.headers.contentLength >= 0)) return false;
  return response.getHeader('Accept-Ranges')?.toLowerCase() !== 'none';
}

/** If-Range (RFC 9110 section 13.1.5): no such field, or a strong validator that is the one of the response. */
function isSameVersion(request: RequestHeader, response: ResponseHeader): boolean {
  const wanted = request.headers.getAll('If-Range');
  if (wanted.length === 0) return true;
  const [validator = ''] = wanted;
  if (wanted.length > 1) return false;
  if (validator.endsWith('"')) return isStrongMatch(validator, response.getHeader('ETag') ?? '');
  return validator === response.getHeader('Last-Modified') && isStrongDate(validator, response.getHeader('Date'));
}

/** A date names one version only when nothing can have changed within its second (RFC 9110 section 8.8.2.2). */
function isStrongDate(modified: string, date: string | undefined): boolean {
  const modifiedMs = parseHttpDate(modified);
  if (modifiedMs === undefined) return false;
  const dateMs = date === undefined ? Date.now() : parseHttpDate(date);
  return dateMs !== undefined && dateMs - modifiedMs >= 1_000;
}

/** Makes the head fit the plan. `whole` leaves it as it is. */
export function writeRangeHead(response: ResponseHeader, plan: RangePlan): void {
  if (plan.kind === 'whole') return;
  response.removeHeader('Accept-Ranges');
  if (plan.kind === 'unsatisfiable') {
    response.status = 416;
    for (const name of NO_BODY_FIELDS) response.removeHeader(name);
    response.insertHeader('Content-Range', `bytes */${plan.length}`);
    response.insertHeader('Content-Length', '0');
    return;
  }
  response.status = 206;
  for (const name of WHOLE_BODY_FIELDS) response.removeHeader(name);
  if (plan.kind === 'single') {
    response.insertHeader('Content-Range', contentRange(plan.range, plan.length));
    response.insertHeader('Content-Length', String(plan.range.end - plan.range.start));
    return;
  }
  response.removeHeader('Content-Range');
  response.insertHeader('Content-Type', `multipart/byteranges; boundary=${plan.boundary}`);
  response.insertHeader('Content-Length', String(multipartLength(plan)));
}

/** Plans and writes the head in one: what is left to do is the body, see {@link RangeCutter}. */
export function applyRange(request: RequestHeader, response: ResponseHeader, options: RangeOptions = {}): RangePlan {
  const plan = planRange(request, response, options);
  writeRangeHead(response, plan);
  return plan;
}

function contentRange(range: ByteRange, length: number): string {
  return `bytes ${range.start}-${range.end - 1}/${length}`;
}

type Multipart = Extract<RangePlan, { kind: 'multipart' }>;

/** What stands before the bytes of one part (RFC 9110 section 14.6). */
export function partHead(plan: Multipart, index: number): string {
  const type = plan.contentType === undefined ? '' : `Content-Type: ${plan.contentType}\r\n`;
  const range = contentRange(plan.ranges[index] as ByteRange, plan.length);
  return `${index === 0 ? '' : '\r\n'}--${plan.boundary}\r\n${type}Content-Range: ${range}\r\n\r\n`;
}

/** What stands behind the last part. */
export function multipartEnd(plan: Multipart): string {
  return `\r\n--${plan.boundary}--\r\n`;
}

function multipartLength(plan: Multipart): number {
  let length = multipartEnd(plan).length;
  for (const [index, { start, end }] of plan.ranges.entries()) length += partHead(plan, index).length + end - start;
  return length;
}
