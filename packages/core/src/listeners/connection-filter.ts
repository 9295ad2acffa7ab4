/**
 * Decides whether a new connection is served at all, before a byte of it is read.
 */
import { CirqueError } from '@cirque/error';
import { type TimerWheel, withDeadline } from '@cirque/timeout';
import type { InetAddress } from '@cirque/transport';
import type { MaybePromise } from '../app/server-app.ts';

/** Accepts or refuses connections by the address of the client. */
export interface ConnectionFilter {
  /**
   * Runs for each connection right after it was accepted. False closes it. Throwing or rejecting refuses it and is
   * logged; so is a promise that takes longer than ten seconds.
   *
   * @param address the client's, undefined for unix sockets and for clients that have gone already.
   */
  shouldAccept(address: InetAddress | undefined): MaybePromise<boolean>;
}

/** A filter, or only its function. */
export type ConnectionFilterLike = ConnectionFilter | ConnectionFilter['shouldAccept'];

/** How long an asynchronous filter may take, in milliseconds. */
const FILTER_DEADLINE_MS = 10_000;

/** Accepts both forms of a filter. @throws TypeError for anything else. */
export function connectionFilter(filter: ConnectionFilterLike): ConnectionFilter {
  if (typeof filter === 'function') return { shouldAccept: filter };
  if (typeof filter?.shouldAccept === 'function') return filter;
  throw new TypeError('a connection filter must be a function or have a shouldAccept() function');
}

/** Asks the filter. A plain boolean comes back as it is, so that synchronous filters cost no promise. */
export function askFilter(
  filter: ConnectionFilter,
  address: InetAddress | undefined,
  wheel?: TimerWheel,
): boolean | Promise<boolean> {
  const verdict = filter.shouldAccept(address);
  if (typeof verdict === 'boolean') return verdict;
  const tooLate = (): CirqueError =>
    CirqueError.internal('InternalError', `the connection filter did not decide within ${FILTER_DEADLINE_MS} ms`);
  return withDeadline(Promise.resolve(verdict), FILTER_DEADLINE_MS, tooLate, wheel);
}
