/**
 * The options of http-proxy that work here, checked, and those that do not, refused by name.
 */
import type { ServerOptions as HttpsServerOptions } from 'node:https';
import type { ByteSource } from '@cirque/core';
import { HttpPeer, type PeerOptions } from '@cirque/pool';
import { type ProxyTarget, parseTarget, type Target } from './target.ts';

/** Rewrites of cookie attributes: from value to value, `*` for any other; an empty value removes the attribute. */
export type CookieRewrite = false | string | Readonly<Record<string, string>>;

/** Options of a proxy server, or of one request. Times are milliseconds. */
export interface ServerOptions {
  /** Where requests go. */
  readonly target?: ProxyTarget;
  /** Gets a copy of each request; what it answers is dropped, and it never slows the request down. */
  readonly forward?: ProxyTarget;
  /** For `listen`: serve HTTPS with these options. */
  readonly ssl?: HttpsServerOptions;
  /** For `listen`: proxy WebSockets too. */
  readonly ws?: boolean;
  /** Add X-Forwarded-For, -Port, -Proto and -Host. What is there already is believed and kept. */
  readonly xfwd?: boolean;
  /** Verify the certificate of a TLS target. Default true. */
  readonly secure?: boolean;
  /** Send the request target as it came, for a target that is itself a proxy. */
  readonly toProxy?: boolean;
  /** Put the path of the target before that of the request. Default true. */
  readonly prependPath?: boolean;
  /** Leave the path of the request out. */
  readonly ignorePath?: boolean;
  /** Local address of outgoing connections. */
  readonly localAddress?: string;
  /** Send the host of the target as Host. Default: that of the client. */
  readonly changeOrigin?: boolean;
  /** Accepted, and always so. */
  readonly preserveHeaderKeyCase?: boolean;
  /** Sent as Basic authorization: `user:password`. */
  readonly auth?: string;
  /** Host of redirects that name the target. */
  readonly hostRewrite?: string;
  /** The client's Host for such redirects. */
  readonly autoRewrite?: boolean;
  /** Protocol of such redirects, `http` or `https`. */
  readonly protocolRewrite?: string;
  readonly cookieDomainRewrite?: CookieRewrite;
  readonly cookiePathRewrite?: CookieRewrite;
  /** Fields that are set on each request. */
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  /** The target must send something for so long. Default: no limit; choose one. */
  readonly proxyTimeout?: number;
  /** The client's connection must not be idle for so long. */
  readonly timeout?: number;
  /** The `proxyRes` listener answers; nothing is sent to the client by itself. */
  readonly selfHandleResponse?: boolean;
  /** The request body, where that of the request was read already. */
  readonly buffer?: ByteSource;
  /** In the place of the request's own method. */
  readonly method?: string;
  /** Trusted authorities of TLS targets, PEM. */
  readonly ca?: string | Uint8Array | readonly (string | Uint8Array)[];
  /** Only false: connections are pooled. Custom agents: see DispatcherPeer. */
  readonly agent?: false | undefined;
  /** Only false. */
  readonly followRedirects?: false | undefined;
}

type Kind = 'any' | 'boolean' | 'string' | 'number';

const KNOWN: { readonly [Name in keyof Required<ServerOptions>]: Kind } = {
  target: 'any',
  forward: 'any',
  ssl: 'any',
  ws: 'boolean',
  xfwd: 'boolean',
  secure: 'boolean',
  toProxy: 'boolean',
  prependPath: 'boolean',
  ignorePath: 'boolean',
  localAddress: 'string',
  changeOrigin: 'boolean',
  preserveHeaderKeyCase: 'boolean',
  auth: 'string',
  hostRewrite: 'string',
  autoRewrite: 'boolean',
  protocolRewrite: 'string',
  cookieDomainRewrite: 'any',
  cookiePathRewrite: 'any',
  headers: 'any',
  proxyTimeout: 'number',
  timeout: 'number',
  selfHandleResponse: 'boolean',
  buffer: 'any',
  method: 'string',
  ca: 'any',
  agent: 'any',
  followRedirects: 'any',
};

/** Options with what follows from them. */
export interface Settings {
  readonly options: ServerOptions;
  readonly target: Target | undefined;
  readonly forward: Target | undefined;
  readonly peer: HttpPeer | undefined;
  readonly forwardPeer: HttpPeer | undefined;
}

/** @throws TypeError or RangeError naming the option, its value and what would be right. */
export function resolveSettings(options: ServerOptions): Settings {
  for (const [name, value] of Object.entries(options)) checkOption(name, value);
  const target = options.target === undefined ? undefined : parseTarget('target', options.target);
  const forward = options.forward === undefined ? undefined : parseTarget('forward', options.forward);
  return {
    options,
    target,
    forward,
    peer: target === undefined ? undefined : peerOf(target, options),
    forwardPeer: forward === undefined ? undefined : peerOf(forward, options),
  };
}

function checkOption(name: string, value: unknown): void {
  if (!Object.hasOwn(KNOWN, name))
    throw new TypeError(`option ${name} is unknown: expected one of ${Object.keys(KNOWN).join(', ')}`);
  if (value === undefined) return;
  const kind = KNOWN[name as keyof ServerOptions];
  if (kind !== 'any' && typeof value !== kind)
    throw new TypeError(`option ${name} is ${String(value)}: expected a ${kind}`);
  if (kind === 'number' && !((value as number) >= 0))
    throw new RangeError(`option ${name} is ${String(value)}: expected at least 0 milliseconds`);
  if (name === 'agent' && value !== false && value !== null)
    throw new TypeError(
      'option agent is not supported: connections are pooled; for others use DispatcherPeer of @cirque/adapters/undici',
    );
  if (name === 'followRedirects' && value !== false)
    throw new TypeError(
      'option followRedirects is not supported: redirects go to the client; to follow them use DispatcherPeer of @cirque/adapters/undici with its redirect interceptor',
    );
}

function peerOf(target: Target, options: ServerOptions): HttpPeer {
  const { cert, key, passphrase, ca = options.ca } = target.parts;
  const peer: Record<string, unknown> = {
    // As http-proxy: a target may take as long as it likes unless somebody says otherwise.
    readTimeoutMs: options.proxyTimeout ?? 0,
    tcpKeepAlive: KEEP_ALIVE,
  };
  if (options.localAddress !== undefined) peer.bindTo = { address: options.localAddress };
  if (target.tls) {
    Object.assign(peer, { tls: true, verifyCert: options.secure !== false });
    if (ca !== undefined) peer.ca = ca;
    if (cert !== undefined && key !== undefined)
      peer.clientCert = passphrase === undefined ? { cert, key } : { cert, key, passphrase };
  }
  return new HttpPeer(target.address, peer as PeerOptions);
}

/** Finds peers that have vanished from tunnels through which nothing passes. */
const KEEP_ALIVE = { idleMs: 60_000 };
