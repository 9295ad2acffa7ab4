/**
 * Takes the descriptors that a table announces, and puts both together.
 */

import type { SocketRecord } from '../sockets/socket-record.ts';
import { closeDescriptor } from '../sockets/socket-table.ts';
import type { UpgradeChannel } from './upgrade-channel.ts';
import { upgradeError } from './upgrade-error.ts';
import type { MessageOf } from './upgrade-message.ts';

/**
 * Receives as many descriptors as the table has sockets; the channel is read plainly afterwards.
 *
 * @param timeoutMs for each message with descriptors.
 * @throws CirqueError when they do not fit the table. All that came are closed.
 */
export async function receiveTable(
  channel: UpgradeChannel,
  { sockets }: MessageOf<'table'>,
  timeoutMs: number,
): Promise<readonly SocketRecord[]> {
  for (let announced = 0; announced < sockets.length; ) {
    const { count } = await channel.receive(['descriptors'], timeoutMs, 'the predecessor sent no descriptors');
    if (count === 0) throw upgradeError('the predecessor sent an empty list of descriptors');
    announced += count;
  }
  const descriptors = channel.takeDescriptors();
  if (descriptors.length !== sockets.length) {
    for (const fd of descriptors) closeDescriptor(fd);
    throw upgradeError(`the predecessor announced ${sockets.length} sockets and sent ${descriptors.length}`);
  }
  channel.readPlainly();
  return sockets.map((socket, index) => ({ ...socket, fd: descriptors[index] as number }));
}
