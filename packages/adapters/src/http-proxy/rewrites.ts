/**
 * What is rewritten in the fields of a response: redirects to the target, attributes of cookies.
 */
import type { CookieRewrite, ServerOptions } from './server-options.ts';
import type { Target } from './target.ts';

const REDIRECTS: ReadonlySet<number> = new Set([201, 301, 302, 303, 307, 308]);

/** Where a redirect leads; the location as it is when it does not name the target. */
export function rewriteLocation(
  location: string,
  status: number,
  target: Target,
  clientHost: string | undefined,
  { hostRewrite, autoRewrite, protocolRewrite }: ServerOptions,
): string {
  if (hostRewrite === undefined && autoRewrite !== true && protocolRewrite === undefined) return location;
  const url = REDIRECTS.has(status) ? URL.parse(location) : null;
  if (url === null || url.host !== URL.parse(`${target.tls ? 'https' : 'http'}://${target.host}`)?.host)
    return location;
  const host = hostRewrite ?? (autoRewrite === true ? clientHost : undefined) ?? url.host;
  const protocol = protocolRewrite?.replace(/:?$/, ':') ?? url.protocol;
  return `${protocol}//${host}${url.pathname}${url.search}${url.hash}`;
}

/** A Set-Cookie value with one attribute rewritten. */
export function rewriteCookie(
  cookie: string,
  attribute: 'domain' | 'path',
  rewrite: CookieRewrite | undefined,
): string {
  if (rewrite === undefined || rewrite === false) return cookie;
  const table = typeof rewrite === 'string' ? { '*': rewrite } : rewrite;
  const [pair, ...attributes] = cookie.split(';');
  const kept = attributes.map((one) => rewriteAttribute(one, attribute, table)).filter((one) => one !== undefined);
  return [pair, ...kept].join(';');
}

function rewriteAttribute(
  text: string,
  attribute: string,
  table: Readonly<Record<string, string>>,
): string | undefined {
  const at = text.indexOf('=');
  if (at < 0 || text.slice(0, at).trim().toLowerCase() !== attribute) return text;
  const value = text.slice(at + 1).trim();
  const replacement = Object.hasOwn(table, value) ? table[value] : table['*'];
  if (replacement === undefined) return text;
  return replacement === '' ? undefined : `${text.slice(0, at)}=${replacement}`;
}
