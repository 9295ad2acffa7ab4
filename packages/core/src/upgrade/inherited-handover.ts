/**
 * The successor that its predecessor has started (respawn.ts): the sockets are open already, the table comes over a pipe.
 */
import { Socket } from 'node:net';
import { greet } from './greeting.ts';
import { ChannelHandover, type Handover } from './handover.ts';
import { FIRST_DESCRIPTOR, HANDOVER_VARIABLE } from './respawn.ts';
import { UpgradeChannel } from './upgrade-channel.ts';
import { upgradeError } from './upgrade-error.ts';

/** How long the predecessor may take to send the table, in milliseconds. */
const TABLE_TIMEOUT_MS = 30_000;

/**
 * Takes over what the predecessor has left to the process that it started. The variable that says so is removed from
 * `env`, so that children do not see it.
 *
 * @returns undefined, at once, when this process was started by anybody else.
 * @throws CirqueError of type UpgradeError when the predecessor goes away: it serves on.
 */
export function inheritedHandover(env: NodeJS.ProcessEnv = process.env): Promise<Handover> | undefined {
  const text = env[HANDOVER_VARIABLE];
  if (text === undefined) return undefined;
  delete env[HANDOVER_VARIABLE];
  return takeOver(text);
}

async function takeOver(text: string): Promise<Handover> {
  const channel = new UpgradeChannel(openPipe(text));
  try {
    const { pid } = await greet(channel, false);
    const table = await channel.receive(['table'], TABLE_TIMEOUT_MS, 'the predecessor sent no table');
    const sockets = table.sockets.map((socket, index) => ({ ...socket, fd: FIRST_DESCRIPTOR + index }));
    return new ChannelHandover(channel, { sockets, state: table.state, predecessorPid: pid, knownPid: pid });
  } catch (error) {
    await channel.refuse(error);
    throw error;
  }
}

function openPipe(text: string): Socket {
  try {
    return new Socket({ fd: Number(text), readable: true, writable: true });
  } catch (cause) {
    throw upgradeError(
      `${HANDOVER_VARIABLE} is ${JSON.stringify(text)}, which is no connection to a predecessor`,
      cause,
    );
  }
}
