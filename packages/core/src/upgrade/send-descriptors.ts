/**
 * Sends the descriptors of a table over a connected unix socket.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Sys } from '@cirque/sys';
import { encodeFrame } from './frame.ts';
import type { UpgradeChannel } from './upgrade-channel.ts';
import { hasClosed, upgradeError } from './upgrade-error.ts';
import { DESCRIPTORS_PER_MESSAGE } from './upgrade-message.ts';

const RETRY_MS = 2;
/** How long the other side may take to read one message, in milliseconds. */
const SEND_TIMEOUT_MS = 10_000;
/** The socket is full, or more descriptors are on their way than the system allows: both pass when they are read. */
const PASSING = ['EAGAIN', 'EWOULDBLOCK', 'ETOOMANYREFS', 'ENOBUFS', 'EINTR'];

/**
 * Sends them in chunks, each with a message that says how many they are. Nothing else may be under way on the channel.
 *
 * @throws CirqueError when the other side does not read them, SysError when the system refuses.
 */
export async function sendDescriptors(
  channel: UpgradeChannel,
  sys: Sys,
  descriptors: readonly number[],
): Promise<void> {
  for (let sent = 0; sent < descriptors.length; sent += DESCRIPTORS_PER_MESSAGE) {
    const chunk = descriptors.slice(sent, sent + DESCRIPTORS_PER_MESSAGE);
    const frame = encodeFrame({ type: 'descriptors', count: chunk.length });
    const taken = await sendSome(channel, sys, frame, chunk);
    for (let at = taken; at < frame.length; ) at += await sendSome(channel, sys, frame.subarray(at), []);
  }
}

/** Tries until the system takes at least the first byte, with which the descriptors go. */
async function sendSome(channel: UpgradeChannel, sys: Sys, bytes: Buffer, chunk: readonly number[]): Promise<number> {
  const deadline = performance.now() + SEND_TIMEOUT_MS;
  while (performance.now() < deadline) {
    const socket = channel.descriptor;
    if (socket === undefined || channel.closed) throw hasClosed();
    try {
      return sys.sendDescriptors(socket, bytes, chunk);
    } catch (error) {
      if (!PASSING.includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
    }
    await sleep(RETRY_MS);
  }
  throw upgradeError(`the other process did not take its descriptors within ${SEND_TIMEOUT_MS / 1_000} seconds`);
}
