/**
 * Options of listening TCP sockets: checks them, and sets those that need native calls on the listening socket, from which
 * the system copies them to every connection. So they cost nothing when a connection is accepted.
 */
import { readFileSync } from 'node:fs';
import { isIPv6, type Server } from 'node:net';
import { descriptorOf } from '@cirque/sys';
import {
  type NativeOption,
  planTcpOptions,
  requireSys,
  setNativeOptions,
  type TcpKeepAlive,
  type TcpOptionPlan,
} from '@cirque/transport';
import type { Logger } from '../logger.ts';

/**
 * Options of the connections of a TCP listener. All but `keepAlive` need native calls (Node.js 26.1, or the package
 * koffi); `dscp` does not on Node.js 24.21 and later.
 */
export interface ListenerSocketOptions {
  /**
   * TCP keep-alive probes on accepted connections. Default: none. `intervalMs` (1,000) and `count` (10) need native calls
   * before Node.js 24.21.
   */
  readonly keepAlive?: TcpKeepAlive;
  /**
   * How long a client may leave sent data unacknowledged until the connection is given up (TCP_USER_TIMEOUT), in
   * milliseconds. Default: the system's many minutes.
   */
  readonly userTimeoutMs?: number;
  /**
   * Differentiated services code point of what is sent, from 0 to 63. Default: none. Without native calls it marks only
   * what follows the accept, and not for IPv4 clients of a listener on `[::]`.
   */
  readonly dscp?: number;
  /** Size of the send buffer. Default: the system adapts it, which is better unless memory is short. */
  readonly sendBufferBytes?: number;
  /** Size of the receive buffer, as above. */
  readonly receiveBufferBytes?: number;
  /**
   * TCP Fast Open (RFC 7413): clients that were here before may send data with their first packet; so many may wait.
   * Default: off. Such data may arrive twice. Linux must allow it: sysctl `net.ipv4.tcp_fastopen` with bit 2.
   */
  readonly fastOpen?: number;
}

/** For the check of option names. */
export const SOCKET_OPTION_NAMES: readonly (keyof ListenerSocketOptions)[] = [
  'keepAlive',
  'userTimeoutMs',
  'dscp',
  'sendBufferBytes',
  'receiveBufferBytes',
  'fastOpen',
];

/** What the system stores in its 16 bits of seconds, and its 7 bits of probes (Linux). */
const MAX_PROBE_MS = 32_767_000;
const MAX_PROBES = 127;
const MAX_INT = 2 ** 31 - 1;
/** Linux doubles the number. */
const MAX_BUFFER_BYTES = 2 ** 30 - 1;

/**
 * Checks the options.
 *
 * @throws RangeError naming the value and what would be right; TypeError for an option that needs native calls where
 * there are none.
 */
export function planListener(options: ListenerSocketOptions): TcpOptionPlan | undefined {
  const { keepAlive, userTimeoutMs, dscp, sendBufferBytes, receiveBufferBytes, fastOpen } = options;
  if (keepAlive !== undefined) checkKeepAlive(keepAlive);
  checkNumber('userTimeoutMs', userTimeoutMs, 1, MAX_INT);
  checkNumber('dscp', dscp, 0, 63);
  checkNumber('sendBufferBytes', sendBufferBytes, 1, MAX_BUFFER_BYTES);
  checkNumber('receiveBufferBytes', receiveBufferBytes, 1, MAX_BUFFER_BYTES);
  checkNumber('fastOpen', fastOpen, 1, 65_535);
  const { idleMs, intervalMs, count } = keepAlive ?? {};
  return planTcpOptions(
    {
      keepAlive: idleMs === undefined ? undefined : { idleMs, intervalMs, count },
      userTimeoutMs,
      dscp,
      sendBufferBytes,
      receiveBufferBytes,
      fastOpenQueue: fastOpen,
    },
    { fastOpenQueue: 'fastOpen' },
  );
}

/**
 * Sets what needs native calls, on the listening socket. Connections that were made between the bind and this call, in the
 * same turn of the event loop, do without.
 *
 * @throws CirqueError of type SocketError that names the option.
 */
export function applyToListener(server: Server, { native }: TcpOptionPlan, logger: Logger): void {
  const descriptor = descriptorOf(server);
  const address = server.address();
  if (native.length === 0 || descriptor === undefined || address === null || typeof address === 'string') return;
  setNativeOptions(descriptor, isIPv6(address.address) ? 6 : 4, native, 'Internal');
  for (const option of native) {
    const problem = withoutEffect(descriptor, option);
    if (problem !== undefined) logger.warn(problem);
  }
}

/** The system takes some values silently and does something else. */
function withoutEffect(descriptor: number, { name, option, value }: NativeOption): string | undefined {
  if (option === 'TCP_FASTOPEN') return fastOpenProblem();
  if (option !== 'SO_SNDBUF' && option !== 'SO_RCVBUF') return undefined;
  const doubled = process.platform === 'linux' ? 2 : 1;
  const actual = requireSys(name).getSocketOption(descriptor, option) / doubled;
  if (actual >= value) return undefined;
  return `${name} is ${value}, but this system gives ${actual} at most: net.core.${option === 'SO_SNDBUF' ? 'w' : 'r'}mem_max`;
}

const FAST_OPEN_SWITCH = '/proc/sys/net/ipv4/tcp_fastopen';
const FAST_OPEN_FOR_SERVERS = 2;

function fastOpenProblem(): string | undefined {
  let text: string;
  try {
    text = readFileSync(FAST_OPEN_SWITCH, 'utf8').trim();
  } catch {
    return undefined; // another system, which says by itself what it does not have
  }
  if ((Number(text) & FAST_OPEN_FOR_SERVERS) !== 0) return undefined;
  return `fastOpen has no effect: sysctl net.ipv4.tcp_fastopen is ${text}, and servers need 2 or 3`;
}

function checkKeepAlive(keepAlive: TcpKeepAlive): void {
  const { idleMs, intervalMs, count } = keepAlive;
  checkNumber('keepAlive.idleMs', idleMs ?? Number.NaN, 1_000, MAX_PROBE_MS);
  checkNumber('keepAlive.intervalMs', intervalMs, 1_000, MAX_PROBE_MS);
  checkNumber('keepAlive.count', count, 1, MAX_PROBES);
}

function checkNumber(name: string, value: number | undefined, least: number, most: number): void {
  if (value === undefined || (Number.isInteger(value) && value >= least && value <= most)) return;
  throw new RangeError(`${name} must be a whole number from ${least} to ${most}, got ${String(value)}`);
}
