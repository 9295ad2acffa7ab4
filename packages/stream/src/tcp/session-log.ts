/**
 * What a connection leaves in the log: a line per failed attempt, one per failure, and what its own `logging` phase does.
 */
import { CirqueError } from '@cirque/error';
import type { Peer } from '@cirque/pool';
import { formatAddress } from '@cirque/transport';
import { awaitPhase } from '../pending-phase.ts';
import { isThenable } from '../phase-hooks.ts';
import type { StreamSession } from '../stream-session.ts';
import type { TcpContext } from './tcp-context.ts';

/** An attempt failed and another one follows. */
export function logRetry<Ctx>(
  { logger }: TcpContext<Ctx>,
  session: StreamSession,
  peer: Peer | undefined,
  error: CirqueError,
): void {
  logger.warn(facts(session, peer, error), 'fail to connect, trying again');
}

/** A connection is over. Only failures of ours and of upstreams are worth a line: that clients leave is daily life. */
export function logEnd<Ctx>(
  { logger }: TcpContext<Ctx>,
  session: StreamSession,
  peer: Peer | undefined,
  error: CirqueError | undefined,
): void {
  const { reason } = session;
  if (error === undefined || (reason !== 'connect' && reason !== 'error')) return;
  logger.error({ ...facts(session, peer, error), reason }, 'connection failed');
}

/** Calls the phase `logging`. What it throws, or a promise that takes too long, is only logged. */
export function runLogging<Ctx>(
  context: TcpContext<Ctx>,
  session: StreamSession,
  error: CirqueError | undefined,
  ctx: Ctx,
): void {
  const { hooks, options, wheel, logger } = context;
  const onError = (failure: unknown): void =>
    logger.error({ id: session.id, err: CirqueError.from(failure, 'InternalError', 'Internal') }, 'logging failed');
  try {
    const answer: unknown = hooks.logging?.(session, error, ctx);
    if (isThenable(answer)) awaitPhase('logging', answer, options.hookTimeoutMs, wheel, { onAnswer() {}, onError });
  } catch (failure) {
    onError(failure);
  }
}

function facts(session: StreamSession, peer: Peer | undefined, error: CirqueError): Record<string, unknown> {
  const { id, clientAddress, attempts } = session;
  return {
    id,
    client: clientAddress?.host,
    upstream: peer === undefined ? undefined : formatAddress(peer.address),
    attempts,
    error: error.toString(),
  };
}
