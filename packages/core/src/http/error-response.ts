/**
 * The response for a request that failed: no body, never stored, and the connection closes after it.
 */
import { HeaderMap, ResponseHeader } from '@cirque/http';

/** A head for the given status (Pingora's error page: no body, `Cache-Control: private, no-store`). */
export function errorResponse(status: number): ResponseHeader {
  const headers = HeaderMap.from([
    ['Content-Length', '0'],
    ['Cache-Control', 'private, no-store'],
  ]);
  return new ResponseHeader(status, headers);
}
