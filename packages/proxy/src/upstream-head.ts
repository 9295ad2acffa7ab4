/**
 * Builds the head that goes upstream from the client's: a copy, cleaned of what concerns one connection only.
 *
 * Runs before the user's filter, so that nothing a client nominates can remove what the user adds.
 */
import { type ServerSession, type TunnelRequest, wantsTrailers } from '@cirque/core';
import type { RequestHeader } from '@cirque/http';
import type { ClientSession, Peer } from '@cirque/pool';
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

/** Fields that were taken out of a head, with their values; undefined when there were none. */
export type TakenFields = readonly (readonly [string, string])[] | undefined;

/**
 * Takes the fields that the client's Connection field nominates out of its head, before any phase sees it.
 *
 * Later would be too late: a nomination could then remove what a phase has set (CVE-2026-105299 is of this kind). And
 * phases and upstream see the same request.
 */
export function takeNominated({ connectionOptions, requestHeader }: ServerSession): TakenFields {
  const { te } = connectionOptions;
  // HTTP/2 has no Connection field that could name it; elsewhere it was not meant for us (RFC 9110 section 10.1.4).
  if (!te && requestHeader.version !== '2' && requestHeader.headers.mayHoldHopByHop) requestHeader.removeHeader('TE');
  const { nominated } = connectionOptions;
  if (nominated === undefined) return undefined;
  const { headers } = requestHeader;
  const taken = [...headers].filter(([name]) => nominated.includes(name.toLowerCase()));
  for (const name of nominated) headers.delete(name);
  return taken;
}

/** The head for one attempt. `nominated`: what {@link takeNominated} took, for peers that want it nevertheless. */
export function upstreamHead(
  downstream: ServerSession,
  peer: Peer,
  httpVersion: ClientSession['httpVersion'],
  nominated: TakenFields,
): RequestHeader {
  const { requestHeader: request, tunnel } = downstream;
  const { stripHopByHop, stripConnectionNominated } = peer.options;
  const head = request.clone();
  const { headers } = head;
  if (stripHopByHop) headers.stripHopByHop(undefined);
  if (!stripConnectionNominated && nominated !== undefined) {
    for (const [name, value] of nominated) if (!request.headers.has(name)) headers.append(name, value);
  }
  if (request.version === '1.0' && !headers.has('Host')) {
    headers.set('Host', isUnixAddress(peer.address) ? 'localhost' : formatAddress(peer.address));
  }
  if (request.version === '1.0') headers.delete('Expect');
  if (stripHopByHop && request.headers.mayHoldHopByHop && wantsTrailers(request)) askForTrailers(head, httpVersion);
  if (tunnel?.kind === 'upgrade') askForUpgrade(head, tunnel, peer);
  return head;
}

/** True when the peer is asked for the tunnel that the client wants. */
export function passesTunnel(tunnel: TunnelRequest | undefined, { options }: Peer): boolean {
  if (tunnel?.kind !== 'upgrade') return tunnel !== undefined;
  return (
    options.upgrade === 'any' || (options.upgrade === 'websocket' && tunnel.protocol?.toLowerCase() === 'websocket')
  );
}

/** What the client, or a phase, says about trailers, said by us to the upstream (RFC 9110 section 10.1.4). */
function askForTrailers({ headers }: RequestHeader, httpVersion: ClientSession['httpVersion']): void {
  headers.set('TE', 'trailers');
  if (httpVersion === '1.1') headers.set('Connection', 'TE');
}

/** The Upgrade of the client, as far as the policy of the peer lets it pass. */
function askForUpgrade({ headers }: RequestHeader, tunnel: TunnelRequest, peer: Peer): void {
  headers.delete('Connection');
  headers.delete('Upgrade');
  if (!passesTunnel(tunnel, peer)) return;
  headers.set('Connection', 'Upgrade');
  headers.set('Upgrade', tunnel.protocol as string);
}

/** Methods whose repetition changes nothing (RFC 9110 section 9.2.2). */
const IDEMPOTENT: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE']);

/** True when a request may be sent again although the upstream may have seen it. */
export function isIdempotent(request: RequestHeader): boolean {
  return IDEMPOTENT.has(request.method);
}
