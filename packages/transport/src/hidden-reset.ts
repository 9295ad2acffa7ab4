/**
 * Tells a reset from an end where the runtime does not.
 *
 * When data and RST arrive in one poll, libuv before 1.52 (Node 22) reads the data and then reports an end, so a body
 * that was cut would look complete. A socket that was reset has no peer any more, one that was ended still has.
 */
import type { Duplex } from 'node:stream';

/** Socket handles of Node; only TCP has peers with addresses. */
interface Handle {
  /** Fills `out` and answers 0, or a negative error number. */
  getpeername?: (out: object) => number;
}

/** True when libuv of this version may report an end for a reset. */
export function hidesResets(libuv: string): boolean {
  const [major = 0, minor = 0] = libuv.split('.').map(Number);
  return major < 1 || (major === 1 && minor < 52);
}

/** To be asked at the 'end' of a stream: was it a reset? After our own end there is no telling, and no harm. */
export function wasReset(duplex: Duplex): boolean {
  if (duplex.writableEnded) return false;
  const handle = (duplex as unknown as { _handle?: Handle | null })._handle;
  return handle?.getpeername !== undefined && handle.getpeername({}) !== 0;
}
