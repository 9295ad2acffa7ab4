/**
 * Resolves a proxy's phases once, at construction: a phase that is absent is undefined here and is skipped.
 */
import { atOnce, bindPhases } from '../phase-hooks.ts';
import { UDP_PHASES } from '../udp-phases.ts';
import type { UdpPhases } from '../udp-proxy.ts';
import type { UdpSession } from '../udp-session.ts';

/** Phases bound to their proxy. */
export type UdpHooks<Ctx> = UdpPhases<Ctx>;

/** @throws TypeError when `newCtx` or `upstreamPeer` is missing, or when something with a phase's name is no function. */
export function resolveUdpHooks<Ctx>(proxy: UdpPhases<Ctx>): UdpHooks<Ctx> {
  const names = UDP_PHASES.map(({ name }) => name);
  return bindPhases(proxy, names, ['newCtx', 'upstreamPeer']);
}

/** One of the two phases that see datagrams. */
export type DatagramFilter<Ctx> = NonNullable<UdpPhases<Ctx>['datagramFromClient' | 'datagramFromUpstream']>;

/**
 * What goes on of a datagram: undefined for nothing.
 *
 * @throws what the phase throws; CirqueError or TypeError when it answers anything but a Buffer, false or nothing.
 */
export function filterDatagram<Ctx>(
  phase: DatagramFilter<Ctx>,
  session: UdpSession,
  bytes: Buffer,
  ctx: Ctx,
): Buffer | undefined {
  const answer: unknown = atOnce('a datagram filter', phase(session, bytes, ctx));
  if (answer === undefined) return bytes;
  if (answer === false) return undefined;
  if (Buffer.isBuffer(answer)) return answer;
  throw new TypeError(`a datagram filter answered ${typeof answer}: expected a Buffer, false or nothing`);
}
