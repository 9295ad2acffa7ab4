/**
 * The one form in which TLS server names (SNI) are kept and compared.
 */

/** Letters, digits, hyphens and dots as DNS has them, and the underscore, which people use. */
const SERVER_NAME = /^[a-z0-9_-][a-z0-9._-]{0,252}$/i;

/**
 * A server name in ASCII lower case without the dot at its end. Undefined when there is none, or when it is no name
 * that a certificate could be for: Unicode has other ways to write letters and dots.
 */
export function plainServerName(name: string | false | null | undefined): string | undefined {
  if (typeof name !== 'string' || !SERVER_NAME.test(name)) return undefined;
  return (name.endsWith('.') ? name.slice(0, -1) : name).toLowerCase();
}
