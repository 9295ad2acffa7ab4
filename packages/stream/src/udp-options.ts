/**
 * Knobs of a UDP proxy service and their defaults, checked once.
 */
import { isIPv4, isIPv6 } from 'node:net';

/** Options of a UDP proxy; all optional. Times are milliseconds. */
export interface UdpOptions {
  /** A session through which nothing passes for so long is over. Default 60,000, from 1. */
  readonly idleTimeoutMs?: number;
  /**
   * Answers that are expected for each datagram of a client: when they are all there, the session is over. 1 for DNS. Default
   * 0: not known, sessions end when they are idle.
   */
  readonly responses?: number;
  /**
   * Sessions at the same time, shared out among the threads of the service. One more ends the one that was idle the longest.
   * At most as many as fit into three quarters of the descriptors that the process may have. Default 65,536.
   */
  readonly maxSessions?: number;
  /**
   * Sessions that one client may have at the same time; datagrams for further ones are dropped. A client is an IPv4 address
   * or an IPv6 network of 64 bits. Counted by each thread for itself. Default 0: no limit.
   */
  readonly maxSessionsPerClient?: number;
  /** Bytes of a session that wait for `sessionFilter`, `upstreamPeer` and names; further datagrams are dropped. Default 262,144. */
  readonly maxQueuedBytes?: number;
  /** The same for all sessions of a thread. Default 67,108,864. */
  readonly maxTotalQueuedBytes?: number;
  /** Attempts after the first one. Default 16, as a fail-safe; 0 never retries. */
  readonly maxRetries?: number;
  /** How long a phase may take to settle: then the session ends. Default 60,000; 0: for as long as the session. */
  readonly hookTimeoutMs?: number;
  /**
   * Whether clients that stay get a socket of their own, so that neither a restart of threads nor an upgrade moves them
   * (udp/client-socket.ts says how and what it costs). `auto`: with their second datagram (with
   * the first one where there are several threads), not with `responses`, and all of them at a stop, where the system can do that:
   * Linux. Default `auto`.
   */
  readonly sessionSockets?: 'auto' | 'never';
  /** Local addresses of upstream sockets, one after the other. More of them make more sessions possible (ports). Default: the system's choice. */
  readonly clientBindToIpv4?: readonly string[];
  readonly clientBindToIpv6?: readonly string[];
}

/** {@link UdpOptions} with every default filled in. */
export type ResolvedUdpOptions = Required<UdpOptions>;

/** Names with least and default values. */
const COUNTS = {
  idleTimeoutMs: [1, 60_000],
  responses: [0, 0],
  maxSessions: [1, 65_536],
  maxSessionsPerClient: [0, 0],
  maxQueuedBytes: [0, 262_144],
  maxTotalQueuedBytes: [0, 67_108_864],
  maxRetries: [0, 16],
  hookTimeoutMs: [0, 60_000],
} as const satisfies { readonly [Name in keyof UdpOptions]?: readonly [least: number, standard: number] };

const KNOWN: readonly string[] = [...Object.keys(COUNTS), 'sessionSockets', 'clientBindToIpv4', 'clientBindToIpv6'];

/** @throws TypeError or RangeError naming the option, the value and what would be right. */
export function resolveUdpOptions(options: UdpOptions): ResolvedUdpOptions {
  for (const name of Object.keys(options)) {
    if (!KNOWN.includes(name))
      throw new TypeError(`UDP option ${name} is unknown: expected one of ${KNOWN.join(', ')}`);
  }
  const { sessionSockets = 'auto', clientBindToIpv4 = [], clientBindToIpv6 = [] } = options;
  if (sessionSockets !== 'auto' && sessionSockets !== 'never') {
    throw new TypeError(`UDP option sessionSockets is ${shown(sessionSockets)}: expected 'auto' or 'never'`);
  }
  const count = (name: keyof typeof COUNTS): number => {
    const [least, standard] = COUNTS[name];
    const value = options[name] ?? standard;
    if (Number.isSafeInteger(value) && value >= least) return value;
    throw new RangeError(`UDP option ${name} is ${shown(value)}: expected an integer of at least ${least}`);
  };
  return {
    idleTimeoutMs: count('idleTimeoutMs'),
    responses: count('responses'),
    maxSessions: count('maxSessions'),
    maxSessionsPerClient: count('maxSessionsPerClient'),
    maxQueuedBytes: count('maxQueuedBytes'),
    maxTotalQueuedBytes: count('maxTotalQueuedBytes'),
    maxRetries: count('maxRetries'),
    hookTimeoutMs: count('hookTimeoutMs'),
    sessionSockets,
    clientBindToIpv4: addresses('clientBindToIpv4', clientBindToIpv4, isIPv4),
    clientBindToIpv6: addresses('clientBindToIpv6', clientBindToIpv6, isIPv6),
  };
}

function addresses(name: string, list: readonly string[], fits: (text: string) => boolean): readonly string[] {
  const wrong = Array.isArray(list) ? list.find((address) => !fits(address)) : list;
  if (wrong === undefined) return [...list];
  throw new TypeError(`UDP option ${name} has ${shown(wrong)}: expected a list of IPv${name.slice(-1)} addresses`);
}

function shown(value: unknown): string {
  return typeof value === 'string' ? JSON.stringify(value) : String(value);
}
