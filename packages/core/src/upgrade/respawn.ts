/**
 * The way of an upgrade without native calls: the predecessor starts its successor, which inherits the sockets.
 *
 * What is started is this very program with its own arguments, read from disk again. Nothing of it comes from the process
 * that asks. The price: the successor is a child of the predecessor, with its user and its limits.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import type { Socket } from 'node:net';
import type { SocketRecord } from '../sockets/socket-record.ts';
import { greet } from './greeting.ts';
import { awaitReady, sendTable } from './send-table.ts';
import { UpgradeChannel } from './upgrade-channel.ts';
import { isClosed, upgradeError } from './upgrade-error.ts';
import type { HandoverState } from './upgrade-message.ts';

/** How the successor is started. Everything but `detached` has the values of this process for a default. */
export interface RespawnOptions {
  /** True gives it a session of its own, as a daemon has. */
  readonly detached: boolean;
  /** The program and its arguments. Default: `process.argv` without the executable; `-u` is added. */
  readonly argv?: readonly string[];
  readonly execArgv?: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  /** Default: the current directory. */
  readonly cwd?: string;
}

/** What the successor gets, and how long it may take. */
export interface Succession {
  readonly sockets: readonly SocketRecord[];
  readonly state: HandoverState;
  readonly readyTimeoutMs: number;
  readonly signal: AbortSignal;
  readonly respawn: RespawnOptions;
}

/** Tells a process that its predecessor has started it: the number of the descriptor on which they talk. */
export const HANDOVER_VARIABLE = 'CIRQUE_HANDOVER_FD';
/** The channel comes after the three standard streams, the sockets after the channel. */
export const CHANNEL_DESCRIPTOR = 3;
/** The number of the first socket in the successor. */
export const FIRST_DESCRIPTOR: number = CHANNEL_DESCRIPTOR + 1;

/** Variables that are about the process that has them. */
const OWN_VARIABLES = [
  HANDOVER_VARIABLE,
  'LISTEN_PID',
  'LISTEN_FDS',
  'LISTEN_FDNAMES',
  'WATCHDOG_PID',
  'NODE_CHANNEL_FD',
  'NODE_CHANNEL_SERIALIZATION_MODE',
] as const;

/** How long a successor that failed may take to end by itself, in milliseconds. */
const END_PATIENCE_MS = 5_000;

/**
 * Starts the successor and waits until it serves.
 *
 * @returns its process id.
 * @throws CirqueError when it ends, or is not ready in time; it is ended then.
 */
export async function respawnSuccessor(succession: Succession): Promise<number> {
  const { sockets, signal, respawn } = succession;
  const child = start(respawn, sockets);
  const channel = new UpgradeChannel(child.stdio[CHANNEL_DESCRIPTOR] as Socket);
  const abort = (): void => channel.fail(upgradeError('the upgrade was stopped'));
  signal.addEventListener('abort', abort);
  try {
    if (signal.aborted) abort();
    await converse(channel, succession);
    child.unref();
    return child.pid as number;
  } catch (error) {
    await channel.refuse(error);
    await endChild(child);
    throw explain(child, error);
  } finally {
    signal.removeEventListener('abort', abort);
    channel.close();
  }
}

async function converse(channel: UpgradeChannel, { sockets, state, readyTimeoutMs }: Succession): Promise<void> {
  await greet(channel, false);
  await sendTable(channel, { sockets, state });
  await awaitReady(channel, readyTimeoutMs);
}

function start(options: RespawnOptions, sockets: readonly SocketRecord[]): ChildProcess {
  const { detached, argv = process.argv.slice(1), execArgv = process.execArgv, cwd = process.cwd() } = options;
  const child = spawn(process.execPath, [...execArgv, ...successorArguments(argv)], {
    stdio: ['inherit', 'inherit', 'inherit', 'pipe', ...sockets.map(({ fd }) => fd)],
    env: successorEnvironment(options.env ?? process.env),
    detached,
    cwd,
  });
  child.on('error', () => {}); // told by the missing process id
  return child;
}

/** The arguments, with `-u`. A `-d` stays: the successor of a daemon is one, and knows that it is started as such already. */
export function successorArguments(argv: readonly string[]): string[] {
  const end = argv.indexOf('--');
  const [own, rest] = end === -1 ? [argv, []] : [argv.slice(0, end), argv.slice(end)];
  const upgrades = own.some((word) => word === '--upgrade' || /^-[dtu]*u[dtu]*$/.test(word));
  return [...own, ...(upgrades ? [] : ['-u']), ...rest];
}

function successorEnvironment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const copy = { ...env };
  for (const name of OWN_VARIABLES) delete copy[name];
  return { ...copy, [HANDOVER_VARIABLE]: String(CHANNEL_DESCRIPTOR) };
}

/** Asks a process that we have started to end, insists after a while, and waits until it is gone. */
async function endChild(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise<void>((resolve) => void child.once('exit', () => resolve()));
  child.kill('SIGTERM');
  const insist = setTimeout(() => child.kill('SIGKILL'), END_PATIENCE_MS);
  await gone;
  clearTimeout(insist);
}

/** The end of the successor says more than the end of the connection to it. */
function explain(child: ChildProcess, error: unknown): unknown {
  if (child.pid === undefined) return upgradeError('the successor could not be started', error);
  if (!isClosed(error)) return error;
  const end = child.signalCode === null ? `with code ${child.exitCode}` : `by ${child.signalCode}`;
  return upgradeError(`the successor ended ${end} before it was ready; its log tells why`);
}
