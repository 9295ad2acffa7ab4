/**
 * Heads of ours as web-standard requests and responses, and back.
 */
import { CirqueError } from '@cirque/error';
import { HeaderMap, RequestHeader, ResponseHeader, type Target } from '@cirque/http';

/** Statuses whose Response cannot have a body (Fetch, "null body status"). */
const NULL_BODY: ReadonlySet<number> = new Set([204, 205, 304]);

/** Methods that the Fetch standard does not let pass. */
const FORBIDDEN_METHODS: ReadonlySet<string> = new Set(['CONNECT', 'TRACE', 'TRACK']);

/** What a request is, besides its head. */
export interface WebRequestFacts {
  readonly tls: boolean;
  readonly target?: Target | undefined;
  readonly body: ReadableStream<Uint8Array> | undefined;
  readonly signal: AbortSignal;
}

/** @throws CirqueError HTTPStatus 405 for methods that fetch does not know, 400 where head and standard do not agree. */
export function webRequest(header: RequestHeader, { tls, target, body, signal }: WebRequestFacts): Request {
  const { method } = header;
  if (FORBIDDEN_METHODS.has(method)) throw CirqueError.http(405, `method ${method}`, { source: 'Downstream' });
  const host = target?.authority ?? header.getHeader('host') ?? 'localhost';
  const path = target?.originForm ?? header.target;
  const init: RequestInit = { method, headers: webHeaders(header.headers), signal };
  if (body !== undefined && method !== 'GET' && method !== 'HEAD') Object.assign(init, { body, duplex: 'half' });
  try {
    return new Request(`${tls ? 'https' : 'http'}://${host}${path === '*' ? '/' : path}`, init);
  } catch (cause) {
    throw CirqueError.http(400, 'this request cannot be a web request', { source: 'Downstream', cause });
  }
}

/** The head of what a fetch handler has answered. @throws CirqueError InvalidHTTPHeader, TypeError when it is used up. */
export function headOfResponse(response: Response): ResponseHeader {
  if (response.bodyUsed) throw new TypeError('the body of the Response was read already');
  const header = new ResponseHeader(response.status, fieldsOf(response.headers));
  if (response.statusText !== '') header.reason = response.statusText;
  return header;
}

/** True when a Response of this status can have no body, whatever an upstream has sent. */
export function isBodiless({ status }: ResponseHeader): boolean {
  return NULL_BODY.has(status);
}

/** A Response with the given head. @param body undefined when none follows, as for {@link isBodiless}. */
export function webResponse(header: ResponseHeader, body: ReadableStream<Uint8Array> | undefined): Response {
  const { status, reason, headers } = header;
  return new Response(body ?? null, { status, statusText: reason, headers: webHeaders(headers) });
}

/** The head of a web-standard request. @throws CirqueError InvalidHTTPHeader, source Downstream. */
export function headOfRequest(request: Request): RequestHeader {
  const { host, pathname, search } = new URL(request.url);
  try {
    const headers = fieldsOf(request.headers);
    if (!headers.has('host')) headers.set('host', host);
    if (headers.has('transfer-encoding') && headers.has('content-length'))
      throw new CirqueError('InvalidHTTPHeader', 'both Transfer-Encoding and Content-Length');
    // The server around us has seen to these.
    headers.delete('transfer-encoding');
    headers.delete('expect');
    return new RequestHeader(request.method, `${pathname}${search}`, headers);
  } catch (error) {
    throw CirqueError.from(error, 'InvalidHTTPHeader', 'Downstream');
  }
}

function webHeaders(fields: HeaderMap): Headers {
  const headers = new Headers();
  for (const [name, value] of fields) headers.append(name, value);
  return headers;
}

function fieldsOf(headers: Headers): HeaderMap {
  const fields = HeaderMap.empty();
  for (const [name, value] of headers) fields.append(name, value);
  return fields;
}
