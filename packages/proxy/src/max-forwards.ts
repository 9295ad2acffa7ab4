/**
 * Max-Forwards of OPTIONS and TRACE (RFC 9110 section 7.6.2): the only field that a proxy must count down.
 */
import type { RequestHeader } from '@cirque/http';

/**
 * Counts Max-Forwards down in the head that will be forwarded. True: it has reached its end, so this proxy has to
 * answer itself.
 */
export function maxForwardsReached(request: RequestHeader): boolean {
  const { method } = request;
  if (method !== 'OPTIONS' && method !== 'TRACE') return false;
  const value = request.headers.get('max-forwards');
  if (value === undefined || !/^\d{1,9}$/.test(value)) return false;
  const left = Number(value);
  if (left > 0) request.headers.set('Max-Forwards', String(left - 1));
  return left === 0;
}
