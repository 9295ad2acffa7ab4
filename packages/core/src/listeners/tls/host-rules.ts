/**
 * Which hosts may be asked for on a connection, where hosts ask for different client certificates.
 *
 * The certificate was judged for the host that the handshake named; without this rule a request on the same connection
 * could name another. Filled in by the handshake, read by the HTTP side.
 */
import type { Stream } from '@cirque/transport';

/** Tells whether a request for this host (a name, or undefined when it has none) is for this connection. */
export type HostRule = (host: string | undefined) => boolean;

const rules = new WeakMap<Stream, HostRule>();

export function setHostRule(stream: Stream, rule: HostRule): void {
  rules.set(stream, rule);
}

/** The rule of a connection; undefined when every host may be asked for. */
export function hostRuleOf(stream: Stream): HostRule | undefined {
  return rules.get(stream);
}
