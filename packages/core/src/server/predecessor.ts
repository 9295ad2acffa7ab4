/**
 * Where a server's first sockets come from: a server that it follows (upgrade), or the service manager.
 */
import { loadSys } from '@cirque/sys';
import type { Logger } from '../logger.ts';
import type { SocketRecord } from '../sockets/socket-record.ts';
import type { Handover } from '../upgrade/handover.ts';
import { inheritedHandover } from '../upgrade/inherited-handover.ts';
import { receiveHandover } from '../upgrade/receive-handover.ts';
import { activatedSockets } from '../upgrade/socket-activation.ts';
import type { ServerConfiguration } from './server-conf.ts';

/** What was there before this server. */
export interface Predecessor extends Pick<Handover, 'ready' | 'close'> {
  readonly sockets: readonly SocketRecord[];
  readonly state: Readonly<Record<string, unknown>>;
  readonly predecessorPid?: number;
  /** Aborted when the predecessor goes on serving before `ready` was called: this server must end. */
  readonly abandoned?: AbortSignal;
}

/** Another process than this one follows the predecessor. */
export interface OtherSuccessor {
  readonly takenOverBy: number;
}

/** A server that begins with nothing. */
export const noPredecessor: Predecessor = { sockets: [], state: {}, ready: async () => {}, close: () => {} };

/** How the predecessor is found. */
export interface PredecessorOptions {
  /** `-u` was given. */
  readonly upgrade: boolean;
  readonly configuration: ServerConfiguration;
  /** Users whose processes may be the predecessor. */
  readonly uids: readonly number[];
  readonly logger: Logger;
  readonly signal: AbortSignal;
  /** The predecessor may be told to come. */
  readonly onListening?: () => void;
}

/**
 * Takes over what there is to take over; waits for it where `-u` says so.
 *
 * @throws CirqueError of type UpgradeError when there is a predecessor, or should be one, and it goes on serving.
 */
export async function findPredecessor(options: PredecessorOptions): Promise<Predecessor | OtherSuccessor> {
  const { configuration, logger, signal, uids, upgrade, onListening } = options;
  const inherited = inheritedHandover();
  if (inherited !== undefined) return inherited;
  if (!upgrade) return { ...noPredecessor, sockets: activatedSockets() };
  const path = configuration.upgradeSock;
  logger.info({ path }, 'waiting for the running server: send it SIGQUIT');
  return receiveHandover({
    path,
    attempts: configuration.upgradeSockConnectAcceptMaxRetries + 1,
    uids,
    logger,
    signal,
    sys: loadSys(),
    ...(onListening === undefined ? {} : { onListening }),
  });
}
