// Who may pass. Everything needs a token unless it is named here: a list of what is open fails safe, a list of what is
// closed does not.
import { createHash, timingSafeEqual } from 'node:crypto';
import type { RequestHeader } from '@cirque/http';

const OPEN = '/public/';
const TOKEN = 'Bearer open-sesame';

/** True when the request is for something open, or carries the token. */
export function mayPass({ path, headers }: RequestHeader): boolean {
  return path.startsWith(OPEN) || isSame(headers.get('Authorization') ?? '', TOKEN);
}

/**
 * True for a path that origins may read differently from us: `/public/../private`, `/public/%2e%2e/private`, `//x`.
 * The proxy passes paths as they came, so who decides by path has to refuse these first.
 */
export function isAmbiguous(path: string): boolean {
  return /\/\.{1,2}(?:[/;]|$)|\/\/|\\|%(?:2e|2f|5c)/i.test(path);
}

/** Compares in a time that says nothing about where the texts differ. */
function isSame(given: string, wanted: string): boolean {
  const hash = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(hash(given), hash(wanted));
}
