/**
 * The old process of an upgrade (SIGQUIT): gives its listening sockets to a successor.
 *
 * Nothing is given up before the successor has said that it serves: whatever goes wrong, this process goes on.
 */
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { CirqueError } from '@cirque/error';
import type { Sys } from '@cirque/sys';
import { codeOfError } from '../listeners/bind-error.ts';
import type { Logger } from '../logger.ts';
import type { SocketRecord } from '../sockets/socket-record.ts';
import { greet } from './greeting.ts';
import { checkPeer, checkSocketOwner } from './peer-check.ts';
import { type RespawnOptions, respawnSuccessor } from './respawn.ts';
import { sendDescriptors } from './send-descriptors.ts';
import { awaitReady, checkCount, sendTable } from './send-table.ts';
import { UpgradeChannel } from './upgrade-channel.ts';
import { sentenceOf, upgradeError } from './upgrade-error.ts';
import type { HandoverState } from './upgrade-message.ts';

/** What is handed over, and how. */
export interface SendHandoverOptions {
  /** The path of the upgrade socket, on which the new process waits. */
  readonly path: string;
  /** How often connecting is tried, one second apart: the new process may be started after the signal. */
  readonly attempts: number;
  /** How long the successor may take from getting the sockets to serving. */
  readonly readyTimeoutMs: number;
  /** Users whose processes may be the successor. */
  readonly uids: readonly number[];
  readonly sockets: readonly SocketRecord[];
  /** Plain JSON. It may hold secrets (ticket keys): it is never logged. */
  readonly state: HandoverState;
  readonly logger: Logger;
  /** Ends the attempt; this process goes on. */
  readonly signal: AbortSignal;
  /** The native calls; without them this process starts the successor itself. */
  readonly sys?: Sys | undefined;
  /** How a successor is started where descriptors cannot be passed. */
  readonly respawn: RespawnOptions;
  /** Time between attempts, in milliseconds. Default 1,000. */
  readonly retryMs?: number;
}

/** Waits between two attempts to connect, in milliseconds. */
const RETRY_MS = 1_000;
/** The new process is not there yet, or has not given the file to our user yet. */
const NOT_YET = ['ENOENT', 'ECONNREFUSED', 'EACCES', 'EAGAIN'];

/**
 * Gives the sockets to the process that waits on the upgrade socket.
 *
 * @returns the process id of the successor, which serves.
 * @throws CirqueError of type UpgradeError: nobody waits there, it is another user's, it speaks another protocol, it did
 * not become ready in time, it died. The sockets are still ours then and the caller goes on serving.
 */
export async function sendHandover(options: SendHandoverOptions): Promise<{ readonly pid: number }> {
  checkCount(options.sockets);
  const channel = new UpgradeChannel(await connectPatiently(options));
  const abort = (): void => channel.fail(stopped());
  options.signal.addEventListener('abort', abort);
  try {
    const knownPid = checkPeer(channel.descriptor, options);
    const hello = await greet(channel, options.sys !== undefined);
    return await handOver(channel, options, { pid: knownPid ?? hello.pid, native: hello.native });
  } catch (error) {
    await channel.refuse(error);
    throw upgradeError(`no successor: ${sentenceOf(error)}; this process goes on serving`, error);
  } finally {
    options.signal.removeEventListener('abort', abort);
    channel.close();
  }
}

async function handOver(
  channel: UpgradeChannel,
  options: SendHandoverOptions,
  { pid, native }: { readonly pid: number; readonly native: boolean },
): Promise<{ readonly pid: number }> {
  const { sys, logger, sockets, state, readyTimeoutMs, signal, respawn } = options;
  if (sys !== undefined && native) {
    logger.info({ successor: pid, sockets: sockets.length }, 'handing the listening sockets over');
    await sendTable(channel, { sockets, state });
    const descriptors = sockets.map(({ fd }) => fd);
    await sendDescriptors(channel, sys, descriptors);
    await awaitReady(channel, readyTimeoutMs);
    return { pid };
  }
  logger.info({ sockets: sockets.length }, 'descriptors cannot be passed: starting the successor from here');
  await channel.send({ type: 'respawning', timeoutMs: readyTimeoutMs });
  const successor = await respawnSuccessor({ sockets, state, readyTimeoutMs, signal, respawn });
  // The waiting process may be gone by now; the successor serves all the same.
  await channel.send({ type: 'takenOver', pid: successor }).catch(() => {});
  return { pid: successor };
}

async function connectPatiently(options: SendHandoverOptions): Promise<Socket> {
  const { path, attempts, signal, retryMs = RETRY_MS } = options;
  for (let attempt = 1; ; attempt += 1) {
    if (signal.aborted) throw stopped();
    try {
      checkSocketOwner(path, options);
      return await connected(path);
    } catch (error) {
      const code = codeOfError(error) ?? '';
      if (attempt >= attempts || !NOT_YET.includes(code)) throw unreachable(error, path, attempt);
    }
    await sleep(retryMs, undefined, { signal }).catch(() => {});
  }
}

function connected(path: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    socket.once('error', reject);
    socket.once('connect', () => {
      socket.off('error', reject);
      resolve(socket);
    });
  });
}

function unreachable(error: unknown, path: string, attempts: number): Error {
  const code = CirqueError.is(error) ? undefined : codeOfError(error);
  if (code === undefined) return upgradeError(`${sentenceOf(error)}; this process goes on serving`, error);
  const tried = attempts === 1 ? 'once' : `${attempts} times`;
  return upgradeError(
    `upgrade_sock: no new process answers on ${path} (${code}, tried ${tried}); start one with -u; this process goes on serving`,
    error,
  );
}

function stopped(): Error {
  return upgradeError('the upgrade was stopped');
}
