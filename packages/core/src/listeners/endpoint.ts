/**
 * Where a service listens: the addresses as they are configured and as they are bound, with their options.
 */
import { resolve } from 'node:path';
import {
  type Address,
  formatAddress,
  type InetAddress,
  isUnixAddress,
  parseAddress,
  type TcpOptionPlan,
  type UnixAddress,
} from '@cirque/transport';
import { STARTED_IN } from '../daemon/absolute-paths.ts';
import { checkOptionNames } from './option-names.ts';
import {
  PROXY_PROTOCOL_NAMES,
  type ProxyProtocolOptions,
  type ProxyProtocolPolicy,
  proxyProtocolPolicy,
} from './proxy-protocol.ts';
import { type ListenerSocketOptions, planListener, SOCKET_OPTION_NAMES } from './socket-options.ts';
import type { TlsSettings } from './tls/tls-settings.ts';

/** Options of a TCP listener. */
export interface TcpSocketOptions extends ProxyProtocolOptions, ListenerSocketOptions {
  /** For `[::]`: do not accept IPv4 clients as well. Default false. */
  readonly ipv6Only?: boolean;
  /** How many connections the system queues before they are accepted. Default 4,096; the system may have less. */
  readonly backlog?: number;
  /**
   * Other processes of the same user may listen on the same address with this option (SO_REUSEPORT); the system spreads the
   * connections. Default false: a second server is refused. The threads of a service do not need it.
   */
  readonly reusePort?: boolean;
}

/** Options of a unix-socket listener. */
export interface UnixSocketOptions extends ProxyProtocolOptions {
  /** Permissions of the socket file. Default 0o666, as in Pingora: everyone who may enter the directory connects. */
  readonly mode?: number;
  /** How many connections the system queues before they are accepted. Default 4,096; the system may have less. */
  readonly backlog?: number;
}

/** What is done with a connection before the application gets it. */
interface EndpointHandshakes {
  readonly proxyProtocol: ProxyProtocolPolicy | undefined;
  readonly tls: TlsSettings | undefined;
}

/** A TCP address to listen on. */
export interface TcpEndpoint extends EndpointHandshakes {
  readonly kind: 'tcp';
  readonly address: InetAddress;
  readonly backlog: number;
  readonly ipv6Only: boolean;
  readonly reusePort: boolean;
  /** Undefined when no option of the socket was given. */
  readonly socketOptions: TcpOptionPlan | undefined;
}

/** A unix socket to listen on. */
export interface UnixEndpoint extends EndpointHandshakes {
  readonly kind: 'unix';
  readonly address: UnixAddress;
  readonly backlog: number;
  readonly mode: number;
}

export type Endpoint = TcpEndpoint | UnixEndpoint;

/** The address of a listener with its text form, `host:port`, `[v6]:port` or `unix:/path`. */
export type ListeningAddress = Address & { readonly text: string };

const DEFAULT_BACKLOG = 4_096;
const MAX_BACKLOG = 65_535;

/** Longest path that every supported system can bind, in bytes (sockaddr_un without its final NUL). */
export const MAX_UNIX_PATH_BYTES: number = process.platform === 'linux' ? 107 : 103;

/**
 * Checks a TCP address and its options.
 *
 * @throws TypeError or RangeError naming the value and what would be right.
 */
export function tcpEndpoint(
  address: string | InetAddress,
  options: TcpSocketOptions = {},
  tls?: TlsSettings,
): TcpEndpoint {
  const parsed = parseAddress(typeof address === 'string' ? address : formatAddress(address));
  if (isUnixAddress(parsed)) {
    throw new TypeError(
      `addTcp() needs 'host:port', got ${JSON.stringify(address)}; unix sockets are added by addUds()`,
    );
  }
  const names = ['ipv6Only', 'backlog', 'reusePort', ...SOCKET_OPTION_NAMES, ...PROXY_PROTOCOL_NAMES];
  checkOptionNames('addTcp()', options, names);
  const { ipv6Only = false, reusePort = false, backlog = DEFAULT_BACKLOG } = options;
  checkBoolean('ipv6Only', ipv6Only);
  checkBoolean('reusePort', reusePort);
  return {
    kind: 'tcp',
    address: parsed,
    backlog: checkBacklog(backlog),
    ipv6Only,
    reusePort,
    socketOptions: planListener(options),
    proxyProtocol: proxyProtocolPolicy(options),
    tls,
  };
}

/**
 * Checks the path of a unix socket and its options. A relative path is taken from the directory in which the program was started.
 *
 * @throws TypeError or RangeError naming the value and what would be right.
 */
export function unixEndpoint(path: string, options: UnixSocketOptions = {}, tls?: TlsSettings): UnixEndpoint {
  const plain = typeof path === 'string' && path.startsWith('unix:') ? path.slice(5) : path;
  if (typeof plain !== 'string' || plain === '' || plain.includes('\0')) {
    throw new TypeError(`addUds() needs the path of a socket file, got ${JSON.stringify(path)}`);
  }
  checkOptionNames('addUds()', options, ['mode', 'backlog', ...PROXY_PROTOCOL_NAMES]);
  const { mode = 0o666, backlog = DEFAULT_BACKLOG } = options;
  if (!Number.isInteger(mode) || mode < 0 || mode > 0o777) {
    throw new RangeError(`mode must be permission bits from 0 to 0o777, got ${String(mode)}`);
  }
  const absolute = resolve(STARTED_IN, plain);
  const bytes = Buffer.byteLength(absolute);
  if (bytes > MAX_UNIX_PATH_BYTES) {
    throw new RangeError(`socket path ${absolute} has ${bytes} bytes; the system allows ${MAX_UNIX_PATH_BYTES}`);
  }
  const proxyProtocol = proxyProtocolPolicy(options);
  if (proxyProtocol !== undefined && options.trustedSources !== 'any') {
    throw new TypeError("clients of a unix socket have no address: trustedSources must be 'any' there");
  }
  return { kind: 'unix', address: { path: absolute }, backlog: checkBacklog(backlog), mode, proxyProtocol, tls };
}

/** An address together with its text. */
export function listeningAddress(address: Address): ListeningAddress {
  return { ...address, text: formatAddress(address) };
}

function checkBoolean(name: string, value: boolean): void {
  if (typeof value !== 'boolean') throw new TypeError(`${name} must be true or false, got ${String(value)}`);
}

function checkBacklog(backlog: number): number {
  if (Number.isInteger(backlog) && backlog >= 1 && backlog <= MAX_BACKLOG) return backlog;
  throw new RangeError(`backlog must be a whole number from 1 to ${MAX_BACKLOG}, got ${String(backlog)}`);
}
