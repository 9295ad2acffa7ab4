/**
 * Reads one cookie out of a Cookie field (RFC 6265 sections 4.2 and 5.4).
 */

/**
 * The values of all cookies of this name, in the order they came; a client may send several, of different paths.
 * White space around names and values, and quotes around values, are left out. Names are compared exactly.
 */
export function cookieValues(field: string, name: string): string[] {
  const values: string[] = [];
  let equals = -1;
  for (let start = 0; start < field.length; ) {
    const semicolon = field.indexOf(';', start);
    const end = semicolon < 0 ? field.length : semicolon;
    // Looked for once, not once per pair without one: whoever sends 64 KiB of semicolons shall not cost milliseconds.
    if (equals < start) equals = field.indexOf('=', start);
    if (equals < 0) break;
    if (equals < end && field.slice(start, equals).trim() === name) {
      values.push(unquoted(field.slice(equals + 1, end).trim()));
    }
    start = end + 1;
  }
  return values;
}

function unquoted(value: string): string {
  return value.length >= 2 && value.startsWith('"') && value.endsWith('"') ? value.slice(1, -1) : value;
}
