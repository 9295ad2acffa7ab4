/**
 * What hashing methods hash of a request or of a connection.
 *
 * A request without the field or cookie asked for is hashed by its client: otherwise all of them would go to one server.
 */
import type { HeaderMap } from '@cirque/http';
import type { Session } from '@cirque/proxy';

/** Gives the key of a request. `client` is the address of the client behind trusted proxies. */
export type RequestKey = (session: Session, client: string | undefined) => string;

/** What is known of the client of a stream. */
export interface StreamClient {
  readonly address: string | undefined;
  /** The name that it asks for in its TLS handshake. */
  readonly serverName: string | undefined;
}

const SIMPLE: Readonly<Record<string, RequestKey>> = {
  client_ip: (_session, client) => client ?? '',
  uri: ({ requestHeader }) => requestHeader.target,
  path: ({ requestHeader }) => requestHeader.path,
  host: ({ requestHeader }, client) => hostOf(requestHeader.headers) ?? client ?? '',
  sni: ({ digest }, client) => digest.ssl?.serverName ?? client ?? '',
};

/** @throws TypeError for a word that is no key. */
export function requestKey(key: string): RequestKey {
  const simple = Object.hasOwn(SIMPLE, key) ? SIMPLE[key] : undefined;
  if (simple !== undefined) return simple;
  const [kind, name = ''] = splitOnce(key, ':');
  if (kind === 'header' && name !== '') {
    return ({ requestHeader }, client) => requestHeader.headers.get(name) ?? client ?? '';
  }
  if (kind === 'cookie' && name !== '') {
    return ({ requestHeader }, client) => cookieOf(requestHeader.headers, name) ?? client ?? '';
  }
  throw new TypeError(
    `balance key ${JSON.stringify(key)} is unknown: expected client_ip, uri, path, host, sni, header:Name or cookie:name`,
  );
}

/** The key of a connection: `sni` where it is asked for and known, otherwise the address of the client. */
export function streamKey(key: string, { address, serverName }: StreamClient): string {
  return (key === 'sni' ? serverName : undefined) ?? address ?? '';
}

/** The name of a Host field: lower case, without port and closing dot; undefined without one. */
export function hostOf(headers: HeaderMap): string | undefined {
  const value = headers.peek('Host');
  return value === undefined || value === '' ? undefined : hostName(value);
}

/** `Example.com.:8080` is `example.com`; `[::1]:80` is `::1`. */
export function hostName(authority: string): string {
  if (authority.startsWith('[')) return authority.slice(1, Math.max(1, authority.indexOf(']'))).toLowerCase();
  const colon = authority.indexOf(':');
  const name = colon < 0 ? authority : authority.slice(0, colon);
  return (name.endsWith('.') ? name.slice(0, -1) : name).toLowerCase();
}

/** The first cookie of that name (RFC 6265 section 4.2.1); names are case-sensitive. */
function cookieOf(headers: HeaderMap, name: string): string | undefined {
  for (const line of headers.getAll('Cookie')) {
    for (const pair of line.split(';')) {
      const [one, value] = splitOnce(pair.trim(), '=');
      if (one === name && value !== undefined) return value;
    }
  }
  return undefined;
}

function splitOnce(text: string, mark: string): readonly [string, string | undefined] {
  const at = text.indexOf(mark);
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
}
