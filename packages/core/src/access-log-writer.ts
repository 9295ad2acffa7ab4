/**
 * Where the access log of a service goes: to the logger, or as lines to a file.
 */
import { type AccessLogFacts, accessLogRecord } from './access-log.ts';
import { type AccessLogFormat, accessLogLine } from './access-log-line.ts';
import type { Logger } from './logger.ts';

/** What an access log writes to; the context of an application is that. */
export interface AccessLogTargets {
  readonly logger: Logger;
  /** The log files of this thread. */
  readonly logs: { open(path: string): { write(line: string): void } };
}

/** Writes a finished request down. */
export type AccessLog = (facts: AccessLogFacts) => void;

/**
 * Opens an access log; undefined when there is none.
 *
 * `true` writes to the logger at info, whose lines are JSON: the format is for files. Lines of a file are buffered.
 * @param accessLog false, true, or the path of a file.
 * @throws TypeError when the file cannot be opened.
 */
export function openAccessLog(
  accessLog: boolean | string,
  format: AccessLogFormat,
  { logger, logs }: AccessLogTargets,
): AccessLog | undefined {
  if (accessLog === false) return undefined;
  if (accessLog === true) return (facts) => logger.info(accessLogRecord(facts), 'access');
  const file = openFile(accessLog, logs);
  return (facts) => file.write(accessLogLine(format, facts, Date.now()));
}

function openFile(path: string, logs: AccessLogTargets['logs']): { write(line: string): void } {
  try {
    return logs.open(path);
  } catch (cause) {
    throw new TypeError(`accessLog ${path} cannot be opened: ${(cause as Error).message}`, { cause });
  }
}
