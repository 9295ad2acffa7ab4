/**
 * Where a request goes: a target as http-proxy takes it, as an address and a base path, and the paths that come of it.
 */
import type { Address } from '@cirque/transport';

/** A target in parts, for what a URL cannot say. */
export interface ProxyTargetDetailed {
  /** `http:` (default), `https:`, `ws:` or `wss:`. */
  readonly protocol?: string;
  /** Name or address; `hostname` goes before `host`. */
  readonly host?: string;
  readonly hostname?: string;
  /** Default: 443 with TLS, else 80. */
  readonly port?: number | string;
  /** Base path with query. `pathname` is taken where it is missing. */
  readonly path?: string;
  readonly pathname?: string;
  /** A unix socket, in the place of host and port. */
  readonly socketPath?: string;
  /** Trusted authorities, PEM. */
  readonly ca?: string | Uint8Array | readonly (string | Uint8Array)[];
  /** Client certificate and its key, PEM. */
  readonly cert?: string | Uint8Array;
  readonly key?: string | Uint8Array;
  readonly passphrase?: string;
}

/** A URL with `http:`, `https:`, `ws:` or `wss:`, or a target in parts. */
export type ProxyTarget = string | URL | ProxyTargetDetailed;

/** A checked target. */
export interface Target {
  readonly tls: boolean;
  readonly address: Address;
  /** Host with port, where that is not the usual one; as Host and redirects say it. */
  readonly host: string;
  /** Base path and query, empty for none. */
  readonly path: string;
  /** What was given, for the events. */
  readonly given: ProxyTarget;
  readonly parts: ProxyTargetDetailed;
}

const TLS: Readonly<Record<string, boolean>> = { 'http:': false, 'ws:': false, 'https:': true, 'wss:': true };

/** @throws TypeError naming the option when it is no target. */
export function parseTarget(option: string, given: ProxyTarget): Target {
  const parts = partsOf(option, given);
  const protocol = (parts.protocol ?? 'http:').replace(/:?$/, ':');
  const tls = Object.hasOwn(TLS, protocol) ? TLS[protocol] : undefined;
  if (tls === undefined) throw wrong(option, given, 'a protocol of http:, https:, ws: or wss:');
  const name = parts.hostname ?? parts.host?.replace(/:\d+$/, '');
  const path = parts.path ?? parts.pathname ?? '';
  if (parts.socketPath !== undefined) {
    return { tls, address: { path: parts.socketPath }, host: name ?? 'localhost', path, given, parts };
  }
  if (name === undefined || name === '') throw wrong(option, given, 'a host');
  const usual = tls ? 443 : 80;
  const port = parts.port === undefined || parts.port === '' ? usual : Number(parts.port);
  if (!Number.isInteger(port) || port < 1 || port > 65_535) throw wrong(option, given, 'a port from 1 to 65535');
  const host = name.replace(/^\[|\]$/g, '');
  const shown = host.includes(':') ? `[${host}]` : host;
  const address = { host, port };
  return {
    tls,
    address,
    host: port === usual ? shown : `${shown}:${port}`,
    path: path === '/' ? '' : path,
    given,
    parts,
  };
}

/** Base and path with one slash between them; the queries of both. Nothing else is changed. */
export function joinPaths(base: string, path: string): string {
  const [basePath, baseQuery] = split(base);
  const [ownPath, ownQuery] = split(path);
  const glued =
    basePath === '' || ownPath === ''
      ? basePath + ownPath
      : `${basePath.replace(/\/+$/, '')}/${ownPath.replace(/^\//, '')}`;
  const query = [baseQuery, ownQuery].filter((one) => one !== undefined && one !== '').join('&');
  const whole = glued.startsWith('/') ? glued : `/${glued}`;
  return query === '' ? whole : `${whole}?${query}`;
}

function split(path: string): [string, string | undefined] {
  const at = path.indexOf('?');
  return at < 0 ? [path, undefined] : [path.slice(0, at), path.slice(at + 1)];
}

function partsOf(option: string, given: ProxyTarget): ProxyTargetDetailed {
  if (typeof given === 'string' || given instanceof URL) {
    const url = URL.parse(String(given));
    if (url === null) throw wrong(option, given, 'a URL such as http://127.0.0.1:9000');
    const { protocol, hostname, port, pathname, search } = url;
    return { protocol, hostname, port, path: `${pathname === '/' ? '' : pathname}${search}` };
  }
  if (typeof given === 'object' && given !== null) return given;
  throw wrong(option, given, 'a URL or an object');
}

function wrong(option: string, given: ProxyTarget, expected: string): TypeError {
  const shown = typeof given === 'object' && given !== null ? JSON.stringify(given) : String(given);
  return new TypeError(`option ${option} ${shown}: expected ${expected}`);
}
