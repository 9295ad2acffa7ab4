/**
 * An HTTP/2 request head as applications know requests: tunnels and targets recognised, no HTTP/2 in it.
 *
 * An extended CONNECT (RFC 8441) becomes the GET with `Upgrade` that it stands for, so that filters and HTTP/1 upstreams
 * see one kind of upgrade. Its answer is translated back in http2-response.ts.
 */
import { randomBytes } from 'node:crypto';
import { type ConnectionOptions, parseConnectionOptions, parseTarget, RequestHeader, type Target } from '@cirque/http';
import type { TunnelRequest } from './server-session.ts';

/** What a session needs to know of its request. */
export interface Http2Request {
  readonly header: RequestHeader;
  /** As `ServerSession.bodyLength`. */
  readonly bodyLength: number | undefined;
  readonly connectionOptions: ConnectionOptions;
  readonly target: Target | undefined;
  readonly tunnel: TunnelRequest | undefined;
}

/** What a next hop would take for the beginning of another HTTP/2 connection has been used to smuggle requests. */
const HTTP2 = /^h2c?$/i;

const CONNECT: TunnelRequest = { kind: 'connect', protocol: undefined };
const NO_OPTIONS = parseConnectionOptions(undefined);
const UPGRADE_OPTIONS = parseConnectionOptions('upgrade');

/**
 * Reads a head that the engine has validated.
 *
 * @param protocol `:protocol` of an extended CONNECT. @param ended no body follows.
 * @returns undefined for an extended CONNECT to HTTP/2 itself.
 */
export function http2Request(
  header: RequestHeader,
  protocol: string | undefined,
  ended: boolean,
): Http2Request | undefined {
  if (protocol !== undefined) return HTTP2.test(protocol) ? undefined : upgrade(header, protocol);
  const { method, headers } = header;
  const target = header.target.charCodeAt(0) === 0x2f ? undefined : parseTarget(method, header.target);
  if (method === 'CONNECT') return { header, bodyLength: 0, connectionOptions: NO_OPTIONS, target, tunnel: CONNECT };
  const announced = headers.contentLength;
  const bodyLength = ended ? 0 : announced >= 0 ? announced : undefined;
  return { header, bodyLength, connectionOptions: NO_OPTIONS, target, tunnel: undefined };
}

/** The request that an HTTP/1 client would have sent (RFC 8441 section 5, RFC 6455 section 4.1). */
function upgrade({ target, headers }: RequestHeader, protocol: string): Http2Request {
  headers.append('Connection', 'Upgrade');
  headers.append('Upgrade', protocol);
  // HTTP/2 does without the key; an HTTP/1 server refuses to.
  if (protocol === 'websocket') headers.set('Sec-WebSocket-Key', randomBytes(16).toString('base64'));
  return {
    header: new RequestHeader('GET', target, headers, '2', true),
    bodyLength: 0,
    connectionOptions: UPGRADE_OPTIONS,
    target: undefined,
    tunnel: { kind: 'upgrade', protocol },
  };
}
