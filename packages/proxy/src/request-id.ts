/**
 * Names for requests, in logs and for upstreams: one of our own, or one that a trusted neighbour has given.
 */
import { randomBytes } from 'node:crypto';
import type { ServerSession } from '@cirque/core';
import { isToken } from '@cirque/http';
import type { TrustedProxies } from './trusted-proxies.ts';

/** Longest name that is taken over from a neighbour. */
const MAX_LENGTH = 128;

/** Of this thread: no two share it. */
const PREFIX = randomBytes(6).toString('hex');

let requests = 0;

/** `5f2c9e07a1b4-3k`: 12 hexadecimal digits of the thread, and the number of the request in base 36. */
export function newRequestId(): string {
  requests += 1;
  return `${PREFIX}-${requests.toString(36)}`;
}

/** Whose names are taken over, from which field. */
export interface RequestIdSource {
  readonly header: string;
  readonly trusted: TrustedProxies;
}

/**
 * The name that the neighbour has given: undefined unless it is trusted, and the field is there once, holds a token
 * (RFC 9110 section 5.6.2) and no more than 128 characters of it.
 */
export function givenRequestId(downstream: ServerSession, { header, trusted }: RequestIdSource): string | undefined {
  const [id, more] = downstream.requestHeader.headers.getAll(header);
  if (id === undefined || more !== undefined || id.length > MAX_LENGTH || !isToken(id)) return undefined;
  return trusted(downstream.digest.socket.remoteAddress) ? id : undefined;
}
