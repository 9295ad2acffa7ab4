/**
 * What texts of the file can say about a request: `${client_ip}`, `${host}` and so on.
 */
import type { Session } from '@cirque/proxy';
import type { Variables } from './template.ts';

/** What of a request goes into texts. */
export interface RequestFacts {
  readonly session: Session;
  /** The address of the client behind trusted proxies; undefined on a unix socket. */
  readonly clientIp: string | undefined;
}

/** Variables of header fields. */
export const HEADER_VARIABLES: Variables<RequestFacts> = {
  client_ip: ({ clientIp }) => clientIp ?? '',
  host: ({ session }) => session.requestHeader.headers.get('Host') ?? '',
  request_id: ({ session }) => session.requestId,
  scheme: ({ session }) => schemeOf(session),
  path: ({ session }) => session.requestHeader.path,
  query: ({ session }) => queryOf(session),
};

/** `https` when the client's connection is TLS here, whatever stands before it. */
export function schemeOf({ digest }: Session): 'http' | 'https' {
  return digest.ssl === undefined ? 'http' : 'https';
}

/** The query with its question mark; empty without one. */
export function queryOf({ requestHeader }: Session): string {
  const { query } = requestHeader;
  return query === undefined ? '' : `?${query}`;
}
