/**
 * The command that starts a daemon: runs this program again in a session of its own, waits until it works, and says so.
 *
 * What the started process has to do with it is daemon-status.ts.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { closeSync } from 'node:fs';
import type { Readable } from 'node:stream';
import type { Logger } from '../logger.ts';
import type { CliIo, ServerOptions } from '../server/cli-options.ts';
import type { ServerConfiguration } from '../server/server-conf.ts';
import { DAEMON_VARIABLE, type DaemonMessage, MessageReader, STATUS_DESCRIPTOR } from './daemon-channel.ts';
import { openErrorLog } from './error-log.ts';
import { resolveIdentity } from './identity.ts';

/** What a daemon is started with. */
export interface LaunchOptions {
  readonly configuration: ServerConfiguration;
  readonly options: Pick<ServerOptions, 'io'>;
  readonly logger: Logger;
}

/** Signals that end the command, and with it what it has started. */
const STOP_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** How long a daemon that is given up may take to end by itself, in milliseconds. */
const END_PATIENCE_MS = 5_000;

/**
 * Starts the daemon and waits until it has started: until it listens, or waits for the server that it follows. With
 * `daemonWaitForReady` until it is ready. Prints one line: the process id, or why there is no daemon.
 *
 * The daemon gets the program, the arguments, the environment and the directory of this process; standard input is
 * closed, and what it prints goes to `errorLog`, or where this process prints.
 * @returns the exit code: 0 or 1. With 1 nothing is left running. Never rejects.
 */
export async function launchDaemon({ configuration, options, logger }: LaunchOptions): Promise<number> {
  const io: Pick<CliIo, 'stdout' | 'stderr'> = options.io ?? process;
  try {
    const pid = await launch(configuration);
    logger.debug({ pid }, 'the daemon runs');
    io.stdout.write(`running in the background, process id ${pid}\n`);
    return 0;
  } catch (error) {
    io.stderr.write(`the daemon could not start: ${error instanceof Error ? error.message : String(error)}\n`);
    return 1;
  }
}

async function launch(configuration: ServerConfiguration): Promise<number> {
  const token = randomBytes(16).toString('hex');
  const child = start(configuration, token);
  const awaited = configuration.daemonWaitForReady ? 'ready' : 'started';
  try {
    return await reaches(child, { token, awaited, timeoutSeconds: configuration.daemonReadyTimeoutSeconds });
  } catch (error) {
    await endChild(child);
    throw explain(error, configuration);
  } finally {
    pipeOf(child)?.destroy();
    child.unref();
  }
}

function start(configuration: ServerConfiguration, token: string): ChildProcess {
  const identity = resolveIdentity(configuration);
  const { errorLog } = configuration;
  const output = errorLog === '' ? undefined : openErrorLog(errorLog, identity);
  try {
    return spawn(process.execPath, [...process.execArgv, ...process.argv.slice(1)], {
      detached: true,
      stdio: ['ignore', output ?? 'inherit', output ?? 'inherit', 'pipe'],
      env: { ...process.env, [DAEMON_VARIABLE]: token },
    });
  } finally {
    if (output !== undefined) closeSync(output);
  }
}

interface Goal {
  readonly token: string;
  readonly awaited: 'started' | 'ready';
  readonly timeoutSeconds: number;
}

/** Resolves with the process id of the server when the daemon says that it has come so far. Rejects when it fails, ends, or takes too long. */
async function reaches(child: ChildProcess, { token, awaited, timeoutSeconds }: Goal): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const reader = new MessageReader(token);
  const onMessage = (message: DaemonMessage): void => {
    if (message.event === 'failed') reject(new Error(message.sentence));
    else if (message.event === 'ready') resolve(message.pid);
    else if (awaited === 'started') resolve(child.pid as number);
  };
  const pipe = pipeOf(child);
  pipe?.setEncoding('utf8').on('data', (part: string) => reader.push(part).forEach(onMessage));
  pipe?.on('error', () => {}); // its end is told by that of the process
  child.once('error', reject);
  // Not `exit`: the last message may still be in the pipe then.
  child.once('close', (code, signal) => reject(new EndedError(signal ?? `code ${code}`, awaited)));
  const expire = (): void => reject(new Error(`it was not ${awaited} within ${timeoutSeconds} seconds; it was ended`));
  const timer = setTimeout(expire, timeoutSeconds * 1_000);
  const onSignal = (signal: string): void => reject(new Error(`${signal} has stopped the command that starts it`));
  for (const signal of STOP_SIGNALS) process.once(signal, onSignal);
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
    for (const signal of STOP_SIGNALS) process.off(signal, onSignal);
  }
}

/** Where the daemon writes; undefined when the system had no descriptors for it, which `error` tells. */
function pipeOf(child: ChildProcess): Readable | undefined {
  const streams = child.stdio as readonly unknown[] | undefined;
  return streams?.[STATUS_DESCRIPTOR] as Readable | undefined;
}

/** The daemon has ended without a word. */
class EndedError extends Error {
  constructor(end: string, awaited: string) {
    super(`it ended (${end}) before it was ${awaited}`);
  }
}

/** Only the log tells why a process has ended without a word. */
function explain(error: unknown, { errorLog }: ServerConfiguration): unknown {
  if (!(error instanceof EndedError) || errorLog === '') return error;
  return new Error(`${error.message}; ${errorLog} may tell why`, { cause: error });
}

/** Asks the daemon to end, insists after a while, and waits until it is gone. */
async function endChild(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise<void>((resolve) => void child.once('exit', () => resolve()));
  child.kill('SIGTERM');
  const insist = setTimeout(() => child.kill('SIGKILL'), END_PATIENCE_MS);
  await gone;
  clearTimeout(insist);
}
