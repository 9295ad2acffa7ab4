/**
 * One-line helpers for the fields that tell an upstream about the way a request came: X-Forwarded-*, Forwarded
 * (RFC 7239) and Via (RFC 9110 section 7.6.3). Nothing of it is added unless a phase calls it.
 *
 * What the neighbour claims is kept only when the neighbour is trusted; otherwise it is replaced by what is known.
 */
import { isToken, type RequestHeader, type ResponseHeader } from '@cirque/http';
import type { Session } from './session.ts';
import type { TrustedProxies } from './trusted-proxies.ts';

/** Options of the helpers. */
export interface ForwardedOptions {
  /** Whose claims are kept. Default: nobody's. */
  readonly trusted?: TrustedProxies;
}

const CLAIMS = [
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-proto',
  'x-forwarded-port',
  'x-real-ip',
  'forwarded',
] as const;

/**
 * The address of the client behind trusted proxies: the right-most address of X-Forwarded-For that is not trusted,
 * where the neighbour itself is; else the neighbour's. Undefined on a unix socket without a trusted claim.
 */
export function clientAddress(session: Session, trusted: TrustedProxies): string | undefined {
  let client = session.clientAddress;
  if (!trusted(client)) return client;
  const chain = session.requestHeader.headers.getAll('x-forwarded-for').join(',').split(',');
  for (const hop of chain.reverse()) {
    const address = withoutPort(hop.trim());
    if (address === '') continue;
    client = address;
    if (!trusted(address)) break;
  }
  return client;
}

/**
 * Sets X-Forwarded-For, X-Forwarded-Host and X-Forwarded-Proto. Call it in `upstreamRequestFilter`.
 * An untrusted neighbour's claims of these, X-Forwarded-Port, X-Real-IP and Forwarded are removed.
 */
export function addXForwarded(session: Session, request: RequestHeader, options: ForwardedOptions = {}): void {
  const { headers } = request;
  const address = session.clientAddress;
  const believed = options.trusted?.(address) === true;
  if (!believed) for (const name of CLAIMS) headers.delete(name);
  // What was not believed is gone: nothing is looked for.
  const before = believed ? headers.getAll('x-forwarded-for') : [];
  if (address !== undefined)
    headers.set('X-Forwarded-For', before.length === 0 ? address : `${before.join(', ')}, ${address}`);
  const host = session.requestHeader.headers.peek('Host');
  if (host !== undefined && !(believed && headers.has('x-forwarded-host'))) headers.set('X-Forwarded-Host', host);
  if (!(believed && headers.has('x-forwarded-proto'))) headers.set('X-Forwarded-Proto', schemeOf(session));
}

/** Appends one element to Forwarded (RFC 7239): for, host and proto. As {@link addXForwarded} otherwise. */
export function addForwarded(session: Session, request: RequestHeader, options: ForwardedOptions = {}): void {
  const { headers } = request;
  const address = session.clientAddress;
  if (options.trusted?.(address) !== true) for (const name of CLAIMS) headers.delete(name);
  const host = session.requestHeader.headers.get('host');
  const parts = [`for=${node(address)}`];
  if (host !== undefined) parts.push(`host=${quotable(host)}`);
  parts.push(`proto=${schemeOf(session)}`);
  headers.set('Forwarded', [...headers.getAll('forwarded'), parts.join(';')].join(', '));
}

/** Appends this proxy to Via. For requests in `upstreamRequestFilter`, for responses in `responseFilter`. */
export function addVia(header: RequestHeader | ResponseHeader, pseudonym: string): void {
  const element = `${header.version} ${pseudonym}`;
  header.headers.set('Via', [...header.headers.getAll('via'), element].join(', '));
}

/** What the client's connection was, whatever scheme its request names. */
function schemeOf(session: Session): 'http' | 'https' {
  return session.digest.ssl === undefined ? 'http' : 'https';
}

// RFC 7239 section 6: an IPv6 address is bracketed and quoted, an unknown client has a word of its own.
function node(address: string | undefined): string {
  if (address === undefined) return 'unknown';
  return address.includes(':') ? `"[${address}]"` : address;
}

function quotable(text: string): string {
  return isToken(text) ? text : `"${text.replace(/["\\]/g, '\\$&')}"`;
}

/** `1.2.3.4:5` and `[::1]:5` as some proxies write them. */
function withoutPort(hop: string): string {
  if (hop.startsWith('[')) return hop.slice(1, Math.max(1, hop.indexOf(']')));
  return /^[\d.]+:\d+$/.test(hop) ? hop.slice(0, hop.indexOf(':')) : hop;
}
