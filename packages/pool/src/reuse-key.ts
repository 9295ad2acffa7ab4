/**
 * What makes two peers interchangeable for a pooled connection: everything that decides who is at the other end.
 *
 * The whole text is the key, not a hash of it: two peers can never collide.
 */
import { type Address, formatAddress } from '@cirque/transport';
import type { ResolvedPeerOptions } from './peer-options.ts';

/**
 * For every option: is it part of a connection's identity? A test demands an answer for each new one.
 *
 * Left out on purpose are times and caps, which govern a use, and the limits and policies of single messages.
 */
export const IDENTITY: { readonly [Option in keyof ResolvedPeerOptions]: boolean } = {
  connectionTimeoutMs: false,
  totalConnectionTimeoutMs: false,
  readTimeoutMs: false,
  writeTimeoutMs: false,
  idleTimeoutMs: false,
  maxConnections: false,
  maxPendingRequests: false,
  tcpKeepAlive: true,
  bindTo: true,
  groupKey: true,
  proxy: true,
  customConnect: true,
  tracer: true,
  limits: false,
  stripHopByHop: false,
  stripConnectionNominated: false,
};

/** The key of a peer. Functions and tracers count by identity. */
export function reuseKey(address: Address, options: ResolvedPeerOptions): string {
  const parts: unknown[] = [formatAddress(address)];
  for (const name of Object.keys(IDENTITY) as (keyof ResolvedPeerOptions)[]) {
    const value = options[name];
    if (IDENTITY[name] && value !== undefined) parts.push(name, identityOf(value));
  }
  return parts.length === 1 ? (parts[0] as string) : JSON.stringify(parts);
}

const numbers = new WeakMap<object, number>();
let lastNumber = 0;

/** Plain data stands for itself; functions and objects with methods by a number of their own. */
function identityOf(value: unknown): unknown {
  const opaque =
    typeof value === 'function' || Object.values(value as object).some((part) => typeof part === 'function');
  const instance = typeof value === 'object' && Object.getPrototypeOf(value) !== Object.prototype;
  if (!opaque && !instance) return value;
  let number = numbers.get(value as object);
  if (number === undefined) {
    number = ++lastNumber;
    numbers.set(value as object, number);
  }
  return number;
}
