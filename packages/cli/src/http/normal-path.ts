/**
 * The form of a path in which routes see it, so that one place has one name (RFC 3986 section 6.2.2).
 *
 * Whoever decides by path must not be told another one than the server reads: escapes of plain characters are undone, dot
 * segments resolved, repeated slashes are one. Pure text; what goes upstream is rewrite.ts.
 */

/** Anything that a path in normal form does not hold. Most paths pass this one look. */
const SUSPECT = /%|\/\/|\/\.|\\/;
const ESCAPE = /%[0-9a-fA-F]{2}/g;
const NO_ESCAPE = /%(?![0-9a-fA-F]{2})/;
const UNRESERVED = /[A-Za-z0-9\-._~]/;
/** A segment that some servers take for one of dots: after undoing escaped slashes, or without what follows a semicolon. */
const HIDDEN_DOTS = /(?:^|%2F|%5C|\\)\.{1,2}(?:$|;|%3B|%2F|%5C|\\)/;

/** A path in its normal form. */
export interface NormalPath {
  readonly path: string;
  /** There were dot segments: the server must get the normal form, or it would find its own way through them. */
  readonly moved: boolean;
}

/**
 * The normal form; undefined for a path that leads above its root, hides dots behind an escaped slash, a backslash or a
 * semicolon, or holds a percent sign that escapes nothing: servers differ about what these mean, and no client that means well
 * sends them.
 */
export function normalPath(path: string): NormalPath | undefined {
  if (!SUSPECT.test(path)) return { path, moved: false };
  if (NO_ESCAPE.test(path)) return undefined;
  const plain = path.replace(ESCAPE, unescaped);
  const segments: string[] = [];
  let moved = false;
  // The text before the first slash is empty; that after the last one counts only when it is not.
  const given = plain.split('/');
  let open = false;
  for (const segment of given.slice(1)) {
    open = segment === '' || segment === '.' || segment === '..';
    if (segment === '') continue;
    if (segment === '.' || segment === '..') moved = true;
    if (segment === '.') continue;
    if (segment === '..') {
      if (segments.pop() === undefined) return undefined;
    } else if (HIDDEN_DOTS.test(segment)) {
      return undefined;
    } else {
      segments.push(segment);
    }
  }
  const end = open && segments.length > 0 ? '/' : '';
  return { path: `/${segments.join('/')}${end}`, moved };
}

/** Escapes of characters that need none are undone, the others are written in one way. */
function unescaped(escaped: string): string {
  const character = String.fromCharCode(Number.parseInt(escaped.slice(1), 16));
  return UNRESERVED.test(character) ? character : escaped.toUpperCase();
}

/** True when a segment of the path is `.` or `..`. */
export function hasDotSegment(path: string): boolean {
  return /\/\.{1,2}(?:\/|$)/.test(path);
}
