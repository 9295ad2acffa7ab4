/**
 * The first message of both sides: who they are, and whether they understand each other.
 */
import { coreVersion } from '../server/cli-help.ts';
import type { UpgradeChannel } from './upgrade-channel.ts';
import { refusal } from './upgrade-error.ts';
import { type MessageOf, UPGRADE_PROTOCOL } from './upgrade-message.ts';

/** How long the other side may take to say hello, in milliseconds. */
const HELLO_TIMEOUT_MS = 5_000;

/**
 * Says hello and waits for the other side's.
 *
 * @param native whether this side can pass and receive descriptors.
 * @throws CirqueError of type UpgradeRefused when it speaks another protocol, or refuses.
 */
export async function greet(channel: UpgradeChannel, native: boolean): Promise<MessageOf<'hello'>> {
  const version = coreVersion();
  await channel.send({ type: 'hello', protocol: UPGRADE_PROTOCOL, version, pid: process.pid, native });
  const hello = await channel.receive(['hello'], HELLO_TIMEOUT_MS, 'the other process sent no hello');
  if (hello.protocol === UPGRADE_PROTOCOL) return hello;
  throw refusal(
    `upgrade protocol ${UPGRADE_PROTOCOL} (Cirque ${version}, process ${process.pid}) and upgrade protocol ` +
      `${hello.protocol} (Cirque ${hello.version}, process ${hello.pid}) do not go together; stop the old server and start the new one`,
  );
}
