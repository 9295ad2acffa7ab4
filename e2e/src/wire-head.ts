/**
 * Reads one message head the way RFC 9112 writes it, with no tolerance at all.
 *
 * It judges what the proxy sends, so every deviation is an anomaly with a reason. It shares no code with the proxy:
 * a common misreading would hide itself.
 */

/** One field line: the name as it was spelt, the value without the white space around it (RFC 9112 section 5). */
export interface WireField {
  readonly name: string;
  readonly value: string;
}

/** A head as it came; `anomalies` is empty for a message that follows the grammar. */
export interface WireHead {
  readonly startLine: string;
  readonly fields: readonly WireField[];
  readonly anomalies: readonly string[];
}

const NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

/** Length of the head at the start of `bytes`, its empty line included; -1 while it is incomplete. */
export function headLength(bytes: Buffer): number {
  const at = bytes.indexOf('\r\n\r\n', 0, 'latin1');
  return at < 0 ? -1 : at + 4;
}

function isBlank(octet: string | undefined): boolean {
  return octet === ' ' || octet === '\t';
}

/** Without the white space around it. By hand: a pattern would take quadratic time over long runs of blanks. */
function trimBlanks(text: string): string {
  let from = 0;
  let to = text.length;
  while (from < to && isBlank(text[from])) from++;
  while (to > from && isBlank(text[to - 1])) to--;
  return text.slice(from, to);
}

function parseFieldLine(line: string, anomalies: string[]): WireField | undefined {
  const colon = line.indexOf(':');
  const name = line.slice(0, Math.max(colon, 0));
  if (!NAME.test(name)) {
    anomalies.push(`field line outside the grammar: ${JSON.stringify(line)}`);
    return undefined;
  }
  const value = trimBlanks(line.slice(colon + 1));
  if (!VALUE.test(value)) anomalies.push(`control character in the value of ${name}: ${JSON.stringify(value)}`);
  return { name, value };
}

/** Parses the bytes of a whole head (`headLength` of them). */
export function parseHead(bytes: Buffer): WireHead {
  const anomalies: string[] = [];
  const [startLine = '', ...lines] = bytes.toString('latin1', 0, bytes.length - 4).split('\r\n');
  if (/[\r\n\0]/.test(startLine)) anomalies.push(`CR, LF or NUL in the start line: ${JSON.stringify(startLine)}`);
  const fields: WireField[] = [];
  for (const line of lines) {
    const field = parseFieldLine(line, anomalies);
    if (field) fields.push(field);
  }
  return { startLine, fields, anomalies };
}

/** All values of a field, in order; names compare without case. */
export function valuesOf(fields: readonly WireField[], name: string): string[] {
  const wanted = name.toLowerCase();
  return fields.filter((field) => field.name.toLowerCase() === wanted).map((field) => field.value);
}

/** The members of a comma-separated field over all its lines, in lower case; empty members are left out. */
export function tokensOf(fields: readonly WireField[], name: string): string[] {
  return valuesOf(fields, name)
    .flatMap((value) => value.split(','))
    .map((token) => token.trim().toLowerCase())
    .filter((token) => token !== '');
}
