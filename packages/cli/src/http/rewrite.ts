/**
 * Changes the path on its way to a server: takes a prefix off, puts one on, replaces by a regular expression.
 *
 * Starts from the normal form of the path and ends in one; the query of the request stays.
 */
import type { RewriteConfig } from '../config/gateway-config.ts';
import { expandGroups } from './groups.ts';
import { hasDotSegment, normalPath } from './normal-path.ts';
import { escapeForTarget } from './target-text.ts';

/** See the file's head. */
export interface Rewrite {
  /** It tries a regular expression: the path must not be longer than MAX_PATTERN_TEXT. */
  readonly hasPattern: boolean;
  /** The new target for a path in normal form and a query (with its question mark, or empty). Undefined: it cannot be. */
  target(path: string, query: string): string | undefined;
}

/** Undefined where there is nothing to change. @throws SyntaxError for a regular expression that is none. */
export function rewriteOf(config: RewriteConfig | undefined): Rewrite | undefined {
  if (config === undefined) return undefined;
  const { addPrefix, regex, replacement = '', stripPrefix } = config;
  const pattern = regex === undefined ? undefined : new RegExp(regex);
  const strip = stripPrefix === undefined ? undefined : withoutEnd(normalPath(stripPrefix)?.path ?? stripPrefix);
  const prefix = addPrefix === undefined ? '' : withoutEnd(addPrefix);
  return {
    hasPattern: pattern !== undefined,
    target(path, query) {
      let rest = strip === undefined ? path : withoutPrefix(path, strip);
      if (pattern !== undefined) rest = replaced(rest, pattern, replacement);
      return finished(prefix + rest, query);
    },
  };
}

/** `/api` off `/api/x` leaves `/x`, off `/api` leaves `/`; where it is not a whole segment it stays. */
function withoutPrefix(path: string, prefix: string): string {
  if (!path.startsWith(prefix)) return path;
  const rest = path.slice(prefix.length);
  if (rest === '') return '/';
  return rest.startsWith('/') ? rest : path;
}

function replaced(path: string, pattern: RegExp, replacement: string): string {
  const match = pattern.exec(path);
  if (match === null) return path;
  return path.slice(0, match.index) + expandGroups(replacement, match) + path.slice(match.index + match[0].length);
}

/** One slash at a time, the first of all; escaped where it must be; a query in the replacement goes before the client's. */
function finished(text: string, query: string): string | undefined {
  const mark = text.indexOf('?');
  const own = mark < 0 ? '' : text.slice(mark);
  const path = `/${mark < 0 ? text : text.slice(0, mark)}`.replace(/\/{2,}/g, '/');
  if (hasDotSegment(path)) return undefined;
  const joined = own.length > 1 && query.length > 1 ? `${own}&${query.slice(1)}` : own.length > 1 ? own : query;
  return escapeForTarget(path) + escapeForTarget(joined);
}

/** A closing slash would be doubled by the one that follows. */
function withoutEnd(prefix: string): string {
  const rooted = prefix.startsWith('/') ? prefix : `/${prefix}`;
  return rooted.endsWith('/') ? rooted.slice(0, -1) : rooted;
}
