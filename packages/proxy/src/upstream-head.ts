/**
 * Builds the head that goes upstream from the client's: a copy, cleaned of what concerns one connection only.
 *
 * Runs before the user's filter, so that nothing a client nominates can remove what the user adds.
 */
import type { ServerSession } from '@cirque/core';
import type { RequestHeader } from '@cirque/http';
import type { Peer } from '@cirque/pool';
import { formatAddress, isUnixAddress } from '@cirque/transport';

/**
 * Brings an absolute-form target into origin form, before any phase sees it.
 *
 * The authority of the target counts, whatever Host says (RFC 9112 section 3.2.2): whoever routes by Host or path, and
 * the upstream, see the same request.
 */
export function normaliseTarget({ target, requestHeader }: ServerSession): void {
  if (target?.form !== 'absolute') return;
  requestHeader.target = target.originForm;
  if (target.authority !== undefined) requestHeader.insertHeader('Host', target.authority);
}

/** The head for one attempt. */
export function upstreamHead(downstream: ServerSession, request: RequestHeader, peer: Peer): RequestHeader {
  const { stripHopByHop, stripConnectionNominated } = peer.options;
  const head = request.clone();
  const { headers } = head;
  const nominated = stripConnectionNominated ? downstream.connectionOptions.nominated : undefined;
  if (stripHopByHop) headers.stripHopByHop(nominated);
  else if (nominated !== undefined) for (const name of nominated) headers.delete(name);
  if (request.version === '1.0' && !headers.has('Host')) {
    headers.set('Host', isUnixAddress(peer.address) ? 'localhost' : formatAddress(peer.address));
  }
  if (request.version === '1.0') headers.delete('Expect');
  return head;
}

/** Methods whose repetition changes nothing (RFC 9110 section 9.2.2). */
const IDEMPOTENT: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE']);

/** True when a request may be sent again although the upstream may have seen it. */
export function isIdempotent(request: RequestHeader): boolean {
  return IDEMPOTENT.has(request.method);
}
