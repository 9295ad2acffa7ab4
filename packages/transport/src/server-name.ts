/**
 * The one form in which TLS server names (SNI) are kept and compared.
 */

/** A server name as it is compared: ASCII lower case, no dot at the end. */
export function plainServerName(name: string | false | null | undefined): string | undefined {
  if (typeof name !== 'string' || name === '') return undefined;
  return (name.endsWith('.') ? name.slice(0, -1) : name).toLowerCase();
}
