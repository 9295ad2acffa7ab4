/**
 * Which fields may come after a body (RFC 9110 section 6.5.1).
 *
 * Whatever decides about framing, routing, authentication or how a message is processed has to stand before the body: a
 * recipient that merges trailers would take a late one for real.
 */
import { HeaderMap } from './header-map.ts';
import { HOP_BY_HOP_FIELDS } from './hop-by-hop.ts';

const FORBIDDEN: ReadonlySet<string> = new Set([
  ...HOP_BY_HOP_FIELDS,
  'age',
  'authorization',
  'cache-control',
  'content-encoding',
  'content-length',
  'content-range',
  'content-type',
  'cookie',
  'expect',
  'expires',
  'forwarded',
  'host',
  'location',
  'max-forwards',
  'pragma',
  'range',
  'retry-after',
  'set-cookie',
  'vary',
  'via',
  'www-authenticate',
  'x-real-ip',
]);

/** True for the lower-case name of a field that may be a trailer. */
export function mayTrail(lower: string): boolean {
  return !FORBIDDEN.has(lower) && !lower.startsWith('x-forwarded-') && !lower.startsWith('if-');
}

/** The trailers that may be sent on, as a map of their own; undefined when there are none. */
export function forwardableTrailers(trailers: HeaderMap | undefined): HeaderMap | undefined {
  if (trailers === undefined) return undefined;
  let kept: HeaderMap | undefined;
  trailers.forEach((name, value) => {
    if (!mayTrail(name.toLowerCase())) return;
    kept ??= HeaderMap.empty();
    kept.append(name, value);
  });
  return kept;
}
