/**
 * Ends the services of a server: say that it is not ready, tell them, wait, cut what is left.
 *
 * Every wait ends as soon as the last service has stopped; the configured times are upper bounds only. (Pingora
 * always sleeps through its whole grace period.)
 */
import type { Logger } from '../logger.ts';
import type { ExecutionPhase } from './execution-phase.ts';
import type { ServerConfiguration } from './server-conf.ts';
import type { ServiceRunner } from './service-runner.ts';
import type { StopKind, StopRequest } from './stop-request.ts';

/** How long services may take to let go after everything was cut, in milliseconds. */
const CUT_MS = 1_000;

/** What {@link shutdown} works on. */
export interface ShutdownParts {
  readonly runner: ServiceRunner;
  /** Resolves when every service has stopped. */
  readonly stopped: Promise<void>;
  readonly request: StopRequest;
  readonly shutdown: AbortController;
  readonly fast: AbortController;
  readonly configuration: ServerConfiguration;
  readonly logger: Logger;
  /** A successor serves already: nobody has to be told, nothing to be delayed. */
  readonly handedOver: boolean;
  enter(phase: ExecutionPhase): void;
}

/**
 * Stops all services. The promise resolves when they have stopped, or when waiting longer is pointless.
 *
 * @returns `cut` when a graceful stop ended before everything had finished, without anybody having asked for that.
 */
export async function shutdown(kind: StopKind, parts: ShutdownParts): Promise<'finished' | 'cut'> {
  const { fast, logger, request } = parts;
  if (kind === 'graceful') {
    parts.enter('GracefulTerminate');
    const delayMs = parts.handedOver ? 0 : parts.configuration.drainDelaySeconds * 1_000;
    if (delayMs > 0) await delay(delayMs, parts);
  }
  parts.enter('ShutdownStarted');
  parts.shutdown.abort();
  const drained = request.kind === 'fast' ? false : await gracePeriod(parts);
  parts.enter('ShutdownRuntimes');
  const done = drained || (request.kind !== 'fast' && (await lastSeconds(parts)));
  const overdue = !done && request.kind !== 'fast';
  if (overdue) logger.warn(leftOver(parts), 'cutting what has not finished');
  fast.abort();
  if (!done && !(await stoppedWithin(parts.stopped, CUT_MS))) {
    logger.error(leftOver(parts), 'services ignore the request to stop and are left behind');
  }
  return overdue ? 'cut' : 'finished';
}

/** Load balancers hear that the server is not ready, and have the configured time to send their clients elsewhere. */
async function delay(ms: number, { enter, request, stopped }: ShutdownParts): Promise<void> {
  enter('ShutdownDelay');
  await stoppedWithin(stopped, ms, request.fast);
}

/** What has begun may finish. True when everything has stopped. */
async function gracePeriod(parts: ShutdownParts): Promise<boolean> {
  const { configuration, logger, request, stopped } = parts;
  parts.enter('ShutdownGracePeriod');
  const done = await stoppedWithin(stopped, configuration.gracePeriodSeconds * 1_000, request.fast);
  if (!done && request.kind !== 'fast')
    logger.warn(leftOver(parts), 'grace period is over, connections are still open');
  return done;
}

/** What is left has a little longer. True when everything has stopped. */
function lastSeconds({ configuration, request, stopped }: ShutdownParts): Promise<boolean> {
  return stoppedWithin(stopped, configuration.gracefulShutdownTimeoutSeconds * 1_000, request.fast);
}

/** What a stop still waits for: service names with the number of their open connections. */
function leftOver({ runner }: ShutdownParts): { services: string[] } {
  const describe = (name: string, open: number | undefined): string =>
    open === undefined ? name : `${name} (${open} open ${open === 1 ? 'connection' : 'connections'})`;
  return { services: runner.running().map(({ name, openConnections }) => describe(name, openConnections)) };
}

/** True when `stopped` resolves within so many milliseconds and before `cut`; leaves no timer behind. */
async function stoppedWithin(stopped: Promise<void>, ms: number, cut?: Promise<void>): Promise<boolean> {
  const otherwise = Promise.withResolvers<boolean>();
  const timer = setTimeout(() => otherwise.resolve(false), ms);
  void cut?.then(() => otherwise.resolve(false));
  try {
    return await Promise.race([stopped.then(() => true), otherwise.promise]);
  } finally {
    clearTimeout(timer);
  }
}
