/**
 * What an HTTP/1 request head says about tunnels and trailers.
 */
import { CirqueError } from '@cirque/error';
import type { RequestHeader } from '@cirque/http';
import type { RequestHead } from '@cirque/http1';
import type { TunnelRequest } from './server-session.ts';

const CONNECT: TunnelRequest = { kind: 'connect', protocol: undefined };
const WEBSOCKET: TunnelRequest = { kind: 'upgrade', protocol: 'websocket' };

/**
 * The tunnel that a request asks for (RFC 9110 sections 7.8 and 9.3.6).
 *
 * Upgrade counts only when Connection names it, and not from HTTP/1.0. HTTP/2 is never reached by an upgrade: what a
 * next hop would take for the beginning of another protocol has been used to smuggle requests.
 */
export function tunnelRequest({ connection, header, minorVersion }: Readonly<RequestHead>): TunnelRequest | undefined {
  if (header.method === 'CONNECT') return CONNECT;
  if (!connection.upgrade || minorVersion === 0) return undefined;
  const protocol = header.headers.getAll('upgrade').join(', ');
  if (protocol === 'websocket') return WEBSOCKET;
  return protocol === '' || /(^|[\s,])h2c?\s*(,|$)/i.test(protocol) ? undefined : { kind: 'upgrade', protocol };
}

/** True when this status of the final head makes a tunnel of the connection. */
export function opensTunnel(tunnel: TunnelRequest | undefined, status: number): boolean {
  if (tunnel === undefined) return false;
  return tunnel.kind === 'upgrade' ? status === 101 : status >= 200 && status < 300;
}

/** Why a tunnel ends that neither of its ends has ended. */
export function tunnelTimeOver(): CirqueError {
  return CirqueError.downstream('ConnectionClosed', 'the server stops, and the time of its tunnels is over');
}

/** The client reads trailers (RFC 9110 section 10.1.4). */
export function wantsTrailers({ headers }: RequestHeader): boolean {
  const te = headers.get('te');
  return te !== undefined && /(^|[\s,])trailers\s*(,|;|$)/i.test(te);
}
