/**
 * An upstream server to talk HTTP to, and how: what `upstreamPeer` answers.
 */
import { type Address, formatAddress, isUnixAddress, parseAddress } from '@cirque/transport';
import type { ClientSession } from './client-session.ts';
import { checkAddress } from './peer-address.ts';
import {
  DEFAULT_PEER_OPTIONS,
  type PeerOptions,
  type ResolvedPeerOptions,
  resolvePeerOptions,
} from './peer-options.ts';
import { reuseKey } from './reuse-key.ts';
import type { SessionRequest } from './session-request.ts';
import { checkHasName } from './tls-identity.ts';

/**
 * What connectors need of a peer. Users may implement it themselves, with `resolvePeerOptions` and `reuseKey`.
 */
export interface Peer {
  readonly address: Address;
  readonly options: ResolvedPeerOptions;
  /** Connections of peers with equal keys are interchangeable. */
  readonly reuseKey: string;
  /**
   * A peer that makes its sessions itself, say for a protocol of its own: connectors only ask. Caps and the pool are its
   * own affair then.
   */
  openSession?(request: SessionRequest): ClientSession | Promise<ClientSession>;
}

/** A checked address and the key of a peer that has no options. */
interface Plain {
  readonly address: Address;
  readonly key: string;
}

/** By the object that was given, so that a peer made for every request checks nothing twice and costs no text. */
const plains = new WeakMap<object, Plain>();

/**
 * An HTTP upstream. Immutable, so one object may serve for ever, or be made for every request.
 *
 * Cheapest is an address object that is used again and again (a Backend); text is parsed each time.
 *
 * @example new HttpPeer('127.0.0.1:9000', { connectionTimeoutMs: 400 })
 */
export class HttpPeer implements Peer {
  /** A copy of the address given. */
  readonly address: Address;
  readonly options: ResolvedPeerOptions;
  readonly reuseKey: string;

  /**
   * @param address text as parseAddress reads it, or an object with `host` and `port`, or with `path` (a Backend fits).
   * @throws TypeError or RangeError naming what is wrong.
   */
  constructor(address: Address | string, options?: PeerOptions) {
    const plain = typeof address === 'string' ? makePlain(parseAddress(address)) : plainOf(address);
    this.address = plain.address;
    if (options === undefined) {
      this.options = DEFAULT_PEER_OPTIONS;
      this.reuseKey = plain.key;
      return;
    }
    this.options = resolvePeerOptions(options);
    if (this.options.proxy !== undefined && isUnixAddress(plain.address)) {
      throw new TypeError(`peer address ${plain.key} is a unix socket: expected host and port with peer option proxy`);
    }
    checkHasName(plain.address, this.options);
    this.reuseKey = reuseKey(plain.address, this.options);
  }

  /** The address as text, for logs. */
  toString(): string {
    return formatAddress(this.address);
  }
}

function plainOf(given: Address): Plain {
  const known = typeof given === 'object' && given !== null ? plains.get(given) : undefined;
  if (known !== undefined && isSame(known.address, given)) return known;
  const plain = makePlain(given);
  plains.set(given, plain);
  return plain;
}

function makePlain(address: Address): Plain {
  const copy = checkAddress('peer address', address);
  return { address: copy, key: formatAddress(copy) };
}

/** False when the object that was given has been changed since: its old key would lead to another upstream. */
function isSame(known: Address, given: Address): boolean {
  const a = known as { host?: string; port?: number; path?: string };
  const b = given as { host?: string; port?: number; path?: string };
  return a.host === b.host && a.port === b.port && a.path === b.path;
}
