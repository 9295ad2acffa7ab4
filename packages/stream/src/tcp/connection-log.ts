/**
 * The access log of a TCP proxy: one line per connection, to the logger or as JSON to a file.
 */
import type { AccessLogTargets } from '@cirque/core';
import { type CirqueError, escapeText } from '@cirque/error';
import { formatAddress, type InetAddress } from '@cirque/transport';
import type { StreamSession } from '../stream-session.ts';

/** Writes a finished connection down. */
export type ConnectionLog = (session: StreamSession, error: CirqueError | undefined) => void;

/**
 * Opens an access log; undefined when there is none.
 *
 * @param accessLog false; true for the logger, at info; or the path of a file, whose lines are buffered.
 * @throws TypeError when the file cannot be opened.
 */
export function openConnectionLog(
  accessLog: boolean | string,
  { logger, logs }: AccessLogTargets,
): ConnectionLog | undefined {
  if (accessLog === false) return undefined;
  if (accessLog === true) return (session, error) => logger.info(connectionRecord(session, error), 'connection');
  const file = openFile(accessLog, logs);
  return (session, error) => {
    file.write(`${JSON.stringify({ time: Date.now() / 1_000, ...connectionRecord(session, error) })}\n`);
  };
}

/** The members of a line; those that do not apply are left out. Times are milliseconds. */
export function connectionRecord(session: StreamSession, error: CirqueError | undefined): Record<string, unknown> {
  const { serverName, upstream, connectMs, firstByteMs } = session;
  return {
    id: session.id,
    client: textOf(session.clientAddress),
    local: textOf(session.localAddress),
    serverName: serverName === undefined ? undefined : escapeText(serverName),
    upstream: upstream === undefined ? undefined : formatAddress(upstream.address),
    attempts: session.attempts,
    bytesFromClient: session.bytesFromClient,
    bytesToClient: session.bytesToClient,
    bytesFromUpstream: session.bytesFromUpstream,
    bytesToUpstream: session.bytesToUpstream,
    connectMs: rounded(connectMs),
    firstByteMs: rounded(firstByteMs),
    durationMs: rounded(session.durationMs),
    reason: session.reason,
    error: error?.toString(),
  };
}

function textOf(address: InetAddress | undefined): string | undefined {
  return address === undefined ? undefined : formatAddress(address);
}

/** To microseconds. */
function rounded(ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : Math.round(ms * 1_000) / 1_000;
}

function openFile(path: string, logs: AccessLogTargets['logs']): { write(line: string): void } {
  try {
    return logs.open(path);
  } catch (cause) {
    throw new TypeError(`accessLog ${path} cannot be opened: ${(cause as Error).message}`, { cause });
  }
}
