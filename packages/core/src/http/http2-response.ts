/**
 * Response heads as HTTP/2 has them, where it differs from what applications write.
 *
 * The other direction of http2-request.ts. Names, hop-by-hop fields and the status pseudo field are the engine's affair.
 */
import { ResponseHeader } from '@cirque/http';
import { httpDate } from '@cirque/timeout';
import type { TunnelRequest } from './server-session.ts';

/** The head with a Date (RFC 9110 section 6.6.1). The application's own object is left alone: it may be used again. */
export function withDate(header: ResponseHeader): ResponseHeader {
  if (header.informational || header.headers.has('Date')) return header;
  const dated = header.clone();
  dated.headers.append('Date', httpDate());
  return dated;
}

/** The 2xx that opens a tunnel: status 101 does not exist in HTTP/2 (RFC 8441 section 5). */
export function tunnelHead(header: ResponseHeader): ResponseHeader {
  const opened = header.clone();
  if (header.status === 101) opened.status = 200;
  opened.headers.stripHopByHop(undefined);
  opened.headers.delete('Content-Length');
  opened.headers.delete('Sec-WebSocket-Accept');
  return withDate(opened);
}

/**
 * True when a final head says neither yes nor no to an extended CONNECT: to its client a 2xx means that the tunnel is open,
 * to an HTTP/1 server that it has ignored the upgrade and answered an ordinary request.
 */
export function ignoresUpgrade(tunnel: TunnelRequest | undefined, status: number): boolean {
  return tunnel?.kind === 'upgrade' && status >= 200 && status < 300;
}

/** The answer in such a case: the protocol is not to be had here (as RFC 9220 section 3 asks for). */
export function upgradeRefused(): ResponseHeader {
  return withDate(new ResponseHeader(501));
}
