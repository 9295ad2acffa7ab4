/**
 * What a request leaves in the log: a line per retry, per failure, and one per request when asked.
 */
import { CirqueError, escapeText, statusFor } from '@cirque/error';
import type { Peer } from '@cirque/pool';
import { formatAddress } from '@cirque/transport';
import type { ExchangeContext } from './exchange-context.ts';
import { atOnce } from './hooks.ts';
import type { Session } from './session.ts';

/** The client closed the connection before it was answered (nginx's code, in logs only). */
const CLIENT_CLOSED_REQUEST = 499;

/** An attempt failed and another one follows. */
export function logRetry<Ctx>(context: ExchangeContext<Ctx>, session: Session, error: CirqueError, ctx: Ctx): void {
  const { requestId, retries: tries } = session;
  const request = summary(context, session, ctx);
  context.logger.warn({ requestId, error: error.toString(), tries, retry: true, request }, 'fail to proxy');
}

/** A request failed for good. `status` is what the client was sent, 0 for nothing. */
export function logFailure<Ctx>(
  context: ExchangeContext<Ctx>,
  session: Session,
  error: CirqueError,
  status: number,
  ctx: Ctx,
): void {
  if (suppressed(context, session, error, ctx)) return;
  const facts = {
    requestId: session.requestId,
    error: error.toString(),
    status,
    tries: session.retries + 1,
    retry: false,
    request: summary(context, session, ctx),
  };
  // A client that leaves or sends nonsense, or is refused by a phase (403), is daily life, not our failure.
  const clients = error.source === 'Downstream' || (error.status !== undefined && error.status < 500);
  if (clients) context.logger.info(facts, 'fail to proxy');
  else context.logger.error(facts, 'fail to proxy');
}

/** What an access log line needs to know of its request. */
export interface AccessFacts {
  readonly session: Session;
  /** On the clock of performance.now(); 0 when there was no access log yet. */
  readonly startedAt: number;
  readonly peer: Peer | undefined;
  readonly upstreamReused: boolean;
}

/** Names of fields as clients spell them, and as HTTP/2 has them. */
const USUAL_NAMES = { host: 'Host', referer: 'Referer', userAgent: 'User-Agent' } as const;
const LOWER_CASE_NAMES = { host: 'host', referer: 'referer', userAgent: 'user-agent' } as const;

/** The access log line, where there is an access log. */
export function logAccess<Ctx>(
  context: ExchangeContext<Ctx>,
  request: AccessFacts,
  error: CirqueError | undefined,
): void {
  const { session, peer, upstreamReused: reused, startedAt } = request;
  if (context.accessLog === undefined || startedAt === 0) return;
  const { method, target, version, headers } = session.requestHeader;
  const names = version === '2' ? LOWER_CASE_NAMES : USUAL_NAMES;
  const left = error?.source === 'Downstream' && statusFor(error) === 0;
  context.accessLog({
    requestId: session.requestId,
    clientAddress: session.clientAddress,
    method,
    target,
    host: headers.peek(names.host),
    version,
    status: session.responseHeader?.status ?? (left ? CLIENT_CLOSED_REQUEST : 0),
    requestBytes: session.bodyBytesReceived,
    responseBytes: session.bodyBytesSent,
    durationMs: performance.now() - startedAt,
    upstream: peer === undefined ? undefined : formatAddress(peer.address),
    retries: session.retries,
    reused: peer === undefined ? undefined : reused,
    referer: headers.peek(names.referer),
    userAgent: headers.peek(names.userAgent),
    error: error?.toString(),
  });
}

/** Something failed that the request does not depend on. */
export function logPhaseFailure<Ctx>(
  { logger }: ExchangeContext<Ctx>,
  { requestId }: Session,
  what: string,
  failure: unknown,
): void {
  logger.error({ requestId, err: CirqueError.from(failure, 'InternalError', 'Internal') }, `${what} failed`);
}

function suppressed<Ctx>(context: ExchangeContext<Ctx>, session: Session, error: CirqueError, ctx: Ctx): boolean {
  try {
    return atOnce('suppressErrorLog', context.hooks.suppressErrorLog?.(session, ctx, error)) === true;
  } catch (failure) {
    logPhaseFailure(context, session, 'suppressErrorLog', failure);
    return false;
  }
}

function summary<Ctx>(context: ExchangeContext<Ctx>, session: Session, ctx: Ctx): string {
  try {
    return escapeText(
      String(atOnce('requestSummary', context.hooks.requestSummary?.(session, ctx)) ?? session.requestSummary()),
    );
  } catch (failure) {
    logPhaseFailure(context, session, 'requestSummary', failure);
    return session.requestSummary();
  }
}
