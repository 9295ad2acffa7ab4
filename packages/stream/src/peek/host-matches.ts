/**
 * Compares names of hosts with patterns, for routes by SNI or by HTTP host.
 */

/**
 * True when the name fits the pattern: `a.example` is itself, `*.example` any name below it (`b.example`, `c.b.example`, not
 * `example`), `*` every name. Upper and lower case, and a dot at the end, make no difference.
 *
 * So routes are wider than certificates: `*.example` in the `hosts` of TLS settings stands for one label (RFC 9525), as in a
 * certificate.
 */
export function hostMatches(pattern: string, name: string): boolean {
  const wanted = plain(pattern);
  const given = plain(name);
  if (given === '' || given.startsWith('.')) return false;
  if (pattern === '*') return true;
  return wanted.startsWith('*.') ? given.endsWith(wanted.slice(1)) : given === wanted;
}

function plain(name: string): string {
  return (name.endsWith('.') ? name.slice(0, -1) : name).toLowerCase();
}
