/**
 * Makes a request head of ours from one that node:http has parsed, and refuses what could be read in two ways.
 *
 * The strictness is that of our own parser (RFC 9112 sections 3.2 and 6.3): the next hop might choose the other one.
 */
import type { IncomingMessage } from 'node:http';
import type { Http2ServerRequest } from 'node:http2';
import type { TLSSocket } from 'node:tls';
import { wantsTrailers } from '@cirque/core';
import { CirqueError } from '@cirque/error';
import { HeaderMap, type HttpVersion, isHostValue, RequestHeader } from '@cirque/http';
import { type Digest, type SslDigest, socketDigest, sslDigest, tcpInfoOf } from '@cirque/transport';

/** Requests of node:http, and those of node:http2 in its compatible form. */
export type NodeRequest = IncomingMessage | Http2ServerRequest;

/** @throws CirqueError InvalidHTTPHeader, source Downstream. */
export function requestHeadOf(request: NodeRequest): RequestHeader {
  try {
    const headers = fieldsOf(request);
    checkFraming(headers);
    checkHost(headers, request);
    return new RequestHeader(request.method ?? 'GET', request.url ?? '/', headers, versionOf(request));
  } catch (error) {
    throw CirqueError.from(error, 'InvalidHTTPHeader', 'Downstream');
  }
}

/** Bytes of the body as the fields announce it; undefined when it is not known beforehand. */
export function bodyLengthOf(request: NodeRequest, { headers }: RequestHeader): number | undefined {
  if (headers.has('transfer-encoding')) return undefined;
  if (headers.has('content-length')) return headers.contentLength;
  return isHttp2(request) && !request.stream.endAfterHeaders ? undefined : 0;
}

/** The client reads trailers of the response. In HTTP/1 it says so to us only when Connection names TE. */
export function acceptsTrailers(header: RequestHeader): boolean {
  if (header.version !== '1.1') return header.version === '2';
  return wantsTrailers(header) && /(^|[\s,])te\s*(,|$)/i.test(header.headers.getAll('connection').join());
}

/** What is known of the connection that a request came on. */
export function digestOf({ socket }: NodeRequest): Digest {
  return new NodeDigest(socket);
}

/** True for requests of node:http2. */
export function isHttp2(request: NodeRequest): request is Http2ServerRequest {
  return request.httpVersionMajor >= 2;
}

function versionOf({ httpVersionMajor, httpVersionMinor }: NodeRequest): HttpVersion {
  if (httpVersionMajor >= 2) return '2';
  return httpVersionMinor === 0 ? '1.0' : '1.1';
}

function fieldsOf(request: NodeRequest): HeaderMap {
  const { rawHeaders } = request;
  const headers = HeaderMap.empty();
  if (isHttp2(request) && request.authority !== '' && request.headers.host === undefined)
    headers.append('host', request.authority);
  const cookies: string[] = [];
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] as string;
    const value = rawHeaders[at + 1] as string;
    if (name.startsWith(':')) continue;
    // HTTP/2 cuts cookies into crumbs (RFC 9113 section 8.2.3).
    if (isHttp2(request) && name === 'cookie') cookies.push(value);
    else headers.append(name, value);
  }
  if (cookies.length > 0) headers.append('cookie', cookies.join('; '));
  return headers;
}

function checkFraming(headers: HeaderMap): void {
  const codings = headers.getAll('transfer-encoding');
  if (codings.length === 0) return;
  if (headers.has('content-length')) throw refused('both Transfer-Encoding and Content-Length');
  const coding = codings.join(', ');
  if (coding.toLowerCase() !== 'chunked') throw refused(`Transfer-Encoding ${JSON.stringify(coding)}`);
}

function checkHost(headers: HeaderMap, request: NodeRequest): void {
  const hosts = headers.getAll('host');
  if (hosts.length === 0 && versionOf(request) === '1.0') return;
  if (hosts.length !== 1) throw refused(hosts.length === 0 ? 'no Host' : 'more than one Host');
  const host = hosts[0] as string;
  if (!isHostValue(host)) throw refused(`Host ${JSON.stringify(host)}`);
  // The server around us may have chosen by the one, the upstream would by the other.
  if (isHttp2(request) && request.authority !== '' && request.authority.toLowerCase() !== host.toLowerCase())
    throw refused(`:authority ${JSON.stringify(request.authority)} is not Host ${JSON.stringify(host)}`);
}

function refused(what: string): CirqueError {
  return CirqueError.downstream('InvalidHTTPHeader', what);
}

class NodeDigest implements Digest {
  readonly establishedAt: number = Date.now();
  readonly socket: Digest['socket'];
  readonly transport: Digest['socket'];
  readonly proxyHeader: undefined = undefined;
  readonly #socket: Partial<TLSSocket>;
  #ssl: SslDigest | undefined;

  constructor(socket: object) {
    this.socket = socketDigest(socket);
    this.transport = this.socket;
    this.#socket = socket as Partial<TLSSocket>;
  }

  get ssl(): SslDigest | undefined {
    if (this.#ssl === undefined && this.#socket.encrypted === true) this.#ssl = sslDigest(this.#socket as TLSSocket);
    return this.#ssl;
  }

  tcpInfo(): ReturnType<Digest['tcpInfo']> {
    return tcpInfoOf(this.#socket);
  }
}
