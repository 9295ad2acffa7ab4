/**
 * Reads which host an HTTP/1 client asks for, without taking part.
 *
 * Source: RFC 9112 sections 3 and 3.2. Stricter than it has to be: a head that two servers could read in two ways names no host.
 */

/** No request line begins with a longer method. */
const MAX_METHOD_BYTES = 32;
const METHOD = /^[!#$%&'*+.^_`|~0-9A-Za-z-]*$/;
const REQUEST_LINE = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+ ([!-~]+) HTTP\/1\.[01]$/;
const AUTHORITY = /^[a-z][a-z0-9+.-]*:\/\/([^/?#]*)/i;
const FIELD_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const LINE_BREAK = /[\r\n]/;
/** A name, or an IPv4 address, or an IPv6 address in brackets; with a port or without, and with space around it. */
const HOST = /^[ \t]*([a-z0-9._-]{1,253}|\[[0-9a-f:.]{2,45}\])(?::\d{0,5})?[ \t]*$/i;

/**
 * The host that the first request is for: lower case, without port and without a dot at the end.
 *
 * An absolute target goes before the field Host.
 * @returns `'more'` until the head is complete; undefined for what is no HTTP/1, and when no single host is named (nor for a
 * host whose name is `more`).
 */
export function peekHttpHost(seen: Buffer): 'more' | undefined | string {
  if (!beginsAsRequest(seen)) return undefined;
  const end = seen.indexOf('\r\n\r\n');
  if (end === -1) return 'more';
  const [requestLine = '', ...fields] = seen.toString('latin1', 0, end).split('\r\n');
  const target = REQUEST_LINE.exec(requestLine)?.[1];
  if (target === undefined) return undefined;
  const named = hostField(fields);
  if (named === undefined) return undefined;
  const host = plainHost(AUTHORITY.exec(target)?.[1] ?? named);
  return host === 'more' ? undefined : host;
}

/** What is there of a method and the space behind it could be one. */
function beginsAsRequest(seen: Buffer): boolean {
  const beginning = seen.toString('latin1', 0, MAX_METHOD_BYTES + 1);
  const space = beginning.indexOf(' ');
  if (space === 0 || (space === -1 && seen.length > MAX_METHOD_BYTES)) return false;
  return METHOD.test(space === -1 ? beginning : beginning.slice(0, space));
}

/** The value of the one field Host; undefined when there is none, more than one, or a line that is no field. */
function hostField(lines: readonly string[]): string | undefined {
  let host: string | undefined;
  for (const line of lines) {
    // No expression for the whole line: strangers write it, and time must not grow faster than its length.
    const colon = line.indexOf(':');
    const name = line.slice(0, Math.max(colon, 0));
    if (!FIELD_NAME.test(name) || LINE_BREAK.test(line)) return undefined;
    if (name.toLowerCase() !== 'host') continue;
    if (host !== undefined) return undefined;
    host = line.slice(colon + 1);
  }
  return host;
}

function plainHost(text: string): string | undefined {
  const host = HOST.exec(text)?.[1]?.toLowerCase();
  return host?.endsWith('.') ? host.slice(0, -1) || undefined : host;
}
