/**
 * An upstream server to talk HTTP to, and how: what `upstreamPeer` answers.
 */
import { type Address, formatAddress, isUnixAddress, parseAddress } from '@cirque/transport';
import {
  DEFAULT_PEER_OPTIONS,
  type PeerOptions,
  type ResolvedPeerOptions,
  resolvePeerOptions,
} from './peer-options.ts';
import { reuseKey } from './reuse-key.ts';

/**
 * What connectors need of a peer. Users may implement it themselves.
 */
export interface Peer {
  readonly address: Address;
  readonly options: ResolvedPeerOptions;
  /** Connections of peers with equal keys are interchangeable. */
  readonly reuseKey: string;
}

/** Keys of plain peers, so that a peer made for every request costs no text. */
const plainKeys = new WeakMap<object, string>();

/**
 * An HTTP upstream. Immutable, so one object may serve for ever, or be made for every request.
 *
 * @example new HttpPeer('127.0.0.1:9000', { connectionTimeoutMs: 400 })
 */
export class HttpPeer implements Peer {
  readonly address: Address;
  readonly options: ResolvedPeerOptions;
  #reuseKey: string | undefined;

  /**
   * @param address text as parseAddress reads it, or an object with `host` and `port`, or with `path` (a Backend fits).
   * @throws TypeError or RangeError naming what is wrong.
   */
  constructor(address: Address | string, options?: PeerOptions) {
    this.address = typeof address === 'string' ? parseAddress(address) : checkAddress(address);
    this.options = options === undefined ? DEFAULT_PEER_OPTIONS : resolvePeerOptions(options);
  }

  get reuseKey(): string {
    this.#reuseKey ??=
      this.options === DEFAULT_PEER_OPTIONS ? plainKey(this.address) : reuseKey(this.address, this.options);
    return this.#reuseKey;
  }

  /** The address as text, for logs. */
  toString(): string {
    return formatAddress(this.address);
  }
}

function plainKey(address: Address): string {
  let key = plainKeys.get(address);
  if (key === undefined) {
    key = formatAddress(address);
    plainKeys.set(address, key);
  }
  return key;
}

function checkAddress(address: Address): Address {
  if (isUnixAddress(address)) {
    if (typeof address.path === 'string' && address.path !== '') return address;
  } else if (typeof address.host === 'string' && address.host !== '' && isPort(address.port)) {
    return address;
  }
  throw new TypeError(
    `peer address ${JSON.stringify(address)} is not valid: expected { host, port from 1 to 65535 } or { path }`,
  );
}

function isPort(port: number): boolean {
  return Number.isInteger(port) && port > 0 && port <= 65_535;
}
