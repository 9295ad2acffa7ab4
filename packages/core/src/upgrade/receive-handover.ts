/**
 * The new process of an upgrade (`-u`): waits for its predecessor and takes the listening sockets over.
 *
 * Ends in one of two ways. Where both sides can pass descriptors, this process gets them and becomes the successor.
 * Where one side cannot, the predecessor starts a successor of its own, which inherits them, and this process is done.
 */
import type { Socket } from 'node:net';
import type { Sys } from '@cirque/sys';
import type { Logger } from '../logger.ts';
import { withDeadline } from './deadline.ts';
import { greet } from './greeting.ts';
import { ChannelHandover, type Handover } from './handover.ts';
import { checkPeer } from './peer-check.ts';
import { receiveTable } from './receive-table.ts';
import { UpgradeChannel } from './upgrade-channel.ts';
import { isClosed, isRefusal, sentenceOf, upgradeError } from './upgrade-error.ts';
import type { MessageOf } from './upgrade-message.ts';
import { listenForUpgrade } from './upgrade-socket.ts';

/** How a new process waits for its predecessor. */
export interface ReceiveHandoverOptions {
  /** The path of the upgrade socket. */
  readonly path: string;
  /** How long the predecessor is waited for, in seconds (attempts, one each second). */
  readonly attempts: number;
  /** Users whose processes may be the predecessor. When root waits, the first other one gets the socket file. */
  readonly uids: readonly number[];
  readonly logger: Logger;
  /** Ends the waiting. */
  readonly signal: AbortSignal;
  /** The native calls; without them the predecessor starts the successor itself. */
  readonly sys?: Sys | undefined;
  /** Called when the predecessor may be told to come. */
  readonly onListening?: () => void;
  /** Time between attempts, in milliseconds. Default 1,000. */
  readonly retryMs?: number;
}

/** The outcome where this process is not the successor: the one with this number is, and it serves already. */
export interface TakenOver {
  readonly takenOverBy: number;
}

/** A predecessor that has introduced itself. */
interface Predecessor {
  readonly channel: UpgradeChannel;
  readonly hello: MessageOf<'hello'>;
  readonly knownPid: number | undefined;
}

/** How long the predecessor may take to say what comes next. */
const TABLE_TIMEOUT_MS = 30_000;
/** Longest time that a predecessor may give its successor. */
const MAX_READY_TIMEOUT_MS = 86_400_000;
/** How much longer than its own limit a predecessor may need to say what became of its successor. */
const VERDICT_MARGIN_MS = 10_000;

/**
 * Waits on the upgrade socket for the predecessor.
 *
 * @throws CirqueError of type UpgradeError: nobody came, it speaks another protocol, or it went away half-way. It goes on
 * serving then; every descriptor that came is closed.
 */
export async function receiveHandover(options: ReceiveHandoverOptions): Promise<Handover | TakenOver> {
  const { channel, hello, knownPid } = await waitForPredecessor(options);
  const abort = (): void => channel.fail(stopped());
  options.signal.addEventListener('abort', abort);
  try {
    const message = await channel.receive(['table', 'respawning'], TABLE_TIMEOUT_MS, 'the predecessor sent no table');
    if (message.type === 'respawning') return await waitForOther(channel, message.timeoutMs);
    const sockets = await receiveTable(channel, message, TABLE_TIMEOUT_MS);
    const { state } = message;
    return new ChannelHandover(channel, { sockets, state, predecessorPid: knownPid ?? hello.pid, knownPid });
  } catch (error) {
    await channel.refuse(error);
    throw error;
  } finally {
    options.signal.removeEventListener('abort', abort);
  }
}

async function waitForPredecessor(options: ReceiveHandoverOptions): Promise<Predecessor> {
  const { path, attempts, signal, retryMs = 1_000, onListening } = options;
  signal.throwIfAborted();
  const chosen = Promise.withResolvers<Predecessor>();
  chosen.promise.catch(() => {}); // it may fail before it is waited for
  const channels = new Set<UpgradeChannel>();
  const socket = await listenForUpgrade(path, ownerOf(options), (connection) => {
    void introduce(connection, options, { channels, chosen });
  });
  const abort = (): void => chosen.reject(stopped());
  signal.addEventListener('abort', abort);
  try {
    if (signal.aborted) abort();
    onListening?.();
    const advice = '; send SIGQUIT to the running server, or start without -u when there is none';
    const predecessor = await withDeadline(
      chosen.promise,
      attempts * retryMs,
      `no predecessor came to ${path}`,
      advice,
    );
    channels.delete(predecessor.channel);
    return predecessor;
  } finally {
    signal.removeEventListener('abort', abort);
    socket.close();
    for (const channel of channels) channel.close();
  }
}

/** Whoever introduces itself properly first is the predecessor. Others are refused, and do not end the waiting. */
async function introduce(
  connection: Socket,
  options: ReceiveHandoverOptions,
  { channels, chosen }: { channels: Set<UpgradeChannel>; chosen: PromiseWithResolvers<Predecessor> },
): Promise<void> {
  const { sys, logger } = options;
  const channel = new UpgradeChannel(connection, sys);
  channels.add(channel);
  try {
    const knownPid = checkPeer(channel.descriptor, options);
    const hello = await greet(channel, sys !== undefined);
    chosen.resolve({ channel, hello, knownPid: knownPid ?? hello.pid });
  } catch (error) {
    if (isRefusal(error)) chosen.reject(error);
    else logOdd(error, logger);
    await channel.refuse(error);
    channels.delete(channel);
  }
}

/** Whoever only looks whether somebody answers closes at once; that is nothing to report. */
function logOdd(error: unknown, logger: Logger): void {
  const text = `a connection to the upgrade socket came to nothing: ${sentenceOf(error)}`;
  if (isClosed(error)) logger.debug(text);
  else logger.warn(text);
}

/** The predecessor starts the successor itself. */
async function waitForOther(channel: UpgradeChannel, timeoutMs: number): Promise<TakenOver> {
  channel.readPlainly();
  const limit = Math.min(timeoutMs, MAX_READY_TIMEOUT_MS) + VERDICT_MARGIN_MS;
  const { pid } = await channel.receive(
    ['takenOver'],
    limit,
    'the predecessor did not say what became of its successor',
  );
  channel.close();
  return { takenOverBy: pid };
}

/** The user who gets the socket file: the one whom a predecessor has become that was started as root. */
function ownerOf({ uids }: ReceiveHandoverOptions): number | undefined {
  return process.getuid?.() === 0 ? uids.find((uid) => uid !== 0) : undefined;
}

function stopped(): Error {
  return upgradeError('the upgrade was stopped');
}
