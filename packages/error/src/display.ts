/**
 * Prints a chain of errors on one line.
 *
 * The form is Pingora's: `<Source> <Type> context: <ctx> cause: ...`, where a nested error leaves out a source or
 * type equal to that of the error around it. Whatever came from outside is escaped: an error line can be forged
 * neither by line breaks nor by terminal sequences or text direction marks.
 */
import { isBranded } from './brand.ts';

/** What printing needs to know of one of our errors. */
export interface ErrorLink {
  readonly type: string;
  readonly source: string;
  readonly status: number | undefined;
  readonly context: string;
  readonly cause?: unknown;
}

/** Chains longer than this are cut with `...`; a chain that contains itself ends here as well. */
export const MAX_CHAIN_LENGTH = 16;

// Controls (C0, DEL, C1), line and paragraph separators, lone surrogates, bidirectional overrides and isolates.
const UNPRINTABLE = /[\p{Cc}\p{Zl}\p{Zp}\p{Cs}\u202A-\u202E\u2066-\u2069]/u;
const UNPRINTABLE_ALL = /[\p{Cc}\p{Zl}\p{Zp}\p{Cs}\u202A-\u202E\u2066-\u2069]/gu;

/** Replaces what must not reach a log or a terminal as it is: LF becomes `\n`, ESC `\x1b`, U+2028 `\u2028`. */
export function escapeText(text: string): string {
  return UNPRINTABLE.test(text) ? text.replace(UNPRINTABLE_ALL, escapeChar) : text;
}

function escapeChar(char: string): string {
  if (char === '\n') return '\\n';
  if (char === '\r') return '\\r';
  if (char === '\t') return '\\t';
  const code = char.charCodeAt(0);
  return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16).padStart(4, '0')}`;
}

/** The type with its status where that is the point of it: `HTTPStatus 503`. */
export function describeType(type: string, status: number | undefined): string {
  return escapeText(type === 'HTTPStatus' && status !== undefined ? `${type} ${status}` : type);
}

/** One line for the error and everything that caused it. */
export function displayChain(error: ErrorLink): string {
  const parts: string[] = [];
  let outer: ErrorLink | undefined;
  let link: unknown = error;
  for (let depth = 0; link !== undefined && depth < MAX_CHAIN_LENGTH; depth += 1) {
    const text = isBranded(link) ? displayLink(link as ErrorLink, outer) : describeForeign(link);
    if (text !== '') parts.push(text);
    outer = isBranded(link) ? (link as ErrorLink) : undefined;
    link = causeOf(link);
  }
  if (link !== undefined) parts.push('...');
  return parts.join(' cause: ');
}

function displayLink(link: ErrorLink, outer: ErrorLink | undefined): string {
  const words: string[] = [];
  if (link.source !== 'Unset' && link.source !== outer?.source) words.push(link.source);
  if (link.type !== outer?.type || link.status !== outer.status) words.push(describeType(link.type, link.status));
  if (link.context !== '') words.push(`context: ${escapeText(link.context)}`);
  return words.join(' ');
}

/** The `cause` of any error, ours or not; `undefined` at the end of the chain. */
export function causeOf(value: unknown): unknown {
  return value instanceof Error || isBranded(value) ? (value as { cause?: unknown }).cause : undefined;
}

/** Names a thrown value that is not ours, on one line. Never throws, whatever was thrown. */
export function describeForeign(value: unknown): string {
  try {
    return escapeText(value instanceof Error ? describeError(value) : `${typeof value} ${String(value)}`);
  } catch {
    return `${typeof value} that cannot be printed`;
  }
}

function describeError(error: Error): string {
  const text = error.message === '' ? error.name : `${error.name}: ${error.message}`;
  // Node's connect reports several addresses as an AggregateError whose own message is empty.
  if (!(error instanceof AggregateError) || error.errors.length === 0) return text;
  const inner = error.errors.map((one: unknown) => (one instanceof Error ? one.message : String(one)));
  return `${text} [${inner.join('; ')}]`;
}
