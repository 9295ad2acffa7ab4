/**
 * What the ring is built from, and which bytes of an address are hashed.
 *
 * The split into host and port is that of nginx's `server` directive, found by comparing with nginx 1.22:
 * addresses are taken as written, nothing is resolved, completed or put into lower case.
 */

/** One place that keys can be mapped to. */
export interface KetamaBucket {
  /** `ip:port`, `[ipv6]:port`, `unix:/path`, or any other name. */
  readonly address: string;
  /** A positive integer: the share of the keys relative to the other buckets. */
  readonly weight: number;
}

/** The two texts that are hashed with a NUL byte between them. */
export interface HashedAddress {
  readonly host: string;
  readonly port: string;
}

const UNIX = /^unix:/i;
const WITH_PORT = /^(.*):([0-9]*)$/s;
const BRACKETED = /^\[(.*)\]$/s;

/**
 * Splits an address: a unix socket is its path without `unix:` and an empty port; digits behind the last colon are
 * the port; anything else is a host with an empty port. With `ipv6Brackets` the host keeps its brackets.
 */
export function splitAddress(address: string, ipv6Brackets: boolean): HashedAddress {
  if (UNIX.test(address)) return { host: address.slice('unix:'.length), port: '' };
  const match = WITH_PORT.exec(address);
  const host = match?.[1] ?? address;
  return { host: ipv6Brackets ? host : (BRACKETED.exec(host)?.[1] ?? host), port: match?.[2] ?? '' };
}

/** Throws TypeError for an address that is no text or empty, RangeError for a weight that is no positive integer. */
export function checkBucket(bucket: KetamaBucket, index: number): void {
  const { address, weight } = bucket;
  if (typeof address !== 'string' || address === '') {
    throw new TypeError(
      `address of bucket ${index} must be a text such as "10.0.0.1:80", got ${JSON.stringify(address)}`,
    );
  }
  if (!Number.isSafeInteger(weight) || weight < 1) {
    throw new RangeError(`weight of bucket ${index} (${address}) must be a positive integer, got ${String(weight)}`);
  }
}
