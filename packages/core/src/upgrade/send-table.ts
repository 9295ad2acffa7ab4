/**
 * The predecessor's part of the protocol after hello, whichever way the descriptors go.
 */
import type { SocketRecord } from '../sockets/socket-record.ts';
import type { UpgradeChannel } from './upgrade-channel.ts';
import { upgradeError } from './upgrade-error.ts';
import { type HandoverState, MAX_SOCKETS, type SocketEntry } from './upgrade-message.ts';

/** @throws CirqueError when there are more sockets than a hand-over takes. */
export function checkCount(sockets: readonly SocketRecord[]): void {
  if (sockets.length <= MAX_SOCKETS) return;
  throw upgradeError(`${sockets.length} sockets are open; ${MAX_SOCKETS} can be handed over`);
}

/** Announces the sockets, in the order in which their descriptors follow. */
export async function sendTable(
  channel: UpgradeChannel,
  { sockets, state }: { readonly sockets: readonly SocketRecord[]; readonly state: HandoverState },
): Promise<void> {
  await channel.send({ type: 'table', sockets: sockets.map(entryOf), state });
}

/** Waits until the successor serves, and lets it know that it may. */
export async function awaitReady(channel: UpgradeChannel, timeoutMs: number): Promise<void> {
  await channel.receive(['ready'], timeoutMs, 'the successor was not ready');
  await channel.send({ type: 'confirmed' });
}

/** The number of the descriptor means nothing in another process. */
function entryOf({ service, kind, address, bound, activated }: SocketRecord): SocketEntry {
  return { service, kind, address, bound, ...(activated === true ? { activated } : {}) };
}
