/**
 * The four forms of a request target (RFC 9112 section 3.2) and what each means for the authority.
 *
 * Works on text whose bytes the parser has already accepted; nothing is decoded or normalised.
 */
import { isHostValue } from './validate.ts';

/** A recognised target. `authority` is set for the absolute and the authority form. */
export interface Target {
  readonly form: 'origin' | 'absolute' | 'authority' | 'asterisk';
  /** What to send to an origin server: path and query, or `*`. */
  readonly originForm: string;
  readonly authority: string | undefined;
}

// Other schemes are not ours to forward (RFC 9110 section 7.4).
const ABSOLUTE = /^https?:\/\//i;

/** Recognises the form that goes with the method; undefined when the target is not valid for it. */
export function parseTarget(method: string, target: string): Target | undefined {
  if (method === 'CONNECT') return parseAuthorityForm(target);
  if (target.charCodeAt(0) === 0x2f) return { form: 'origin', originForm: target, authority: undefined };
  if (target === '*')
    return method === 'OPTIONS' ? { form: 'asterisk', originForm: '*', authority: undefined } : undefined;
  return parseAbsoluteForm(method, target);
}

function parseAuthorityForm(target: string): Target | undefined {
  // host and port are both required (RFC 9112 section 3.2.3)
  if (!isHostValue(target) || !/[^:]:\d+$/.test(target)) return undefined;
  return { form: 'authority', originForm: target, authority: target };
}

function parseAbsoluteForm(method: string, target: string): Target | undefined {
  const scheme = ABSOLUTE.exec(target)?.[0];
  if (scheme === undefined) return undefined;
  const rest = target.slice(scheme.length);
  const end = rest.search(/[/?]/);
  const authority = end < 0 ? rest : rest.slice(0, end);
  if (authority === '' || authority.startsWith(':') || !isHostValue(authority)) return undefined;
  const path = end < 0 ? '' : rest.slice(end);
  return { form: 'absolute', originForm: originFormOf(method, path), authority };
}

// OPTIONS http://host with an empty path becomes the asterisk form (RFC 9112 section 3.2.4).
function originFormOf(method: string, path: string): string {
  if (path.startsWith('/')) return path;
  return path === '' && method === 'OPTIONS' ? '*' : `/${path}`;
}
