/**
 * The way out through undici: an upstream that is reached by any of its dispatchers.
 */
import {
  type ClientSession,
  type Peer,
  type PeerOptions,
  type ResolvedPeerOptions,
  resolvePeerOptions,
} from '@cirque/pool';
import type { Address } from '@cirque/transport';
import type { Dispatcher } from 'undici';
import { DispatcherSession } from './dispatcher-session.ts';

/** The options of a peer that mean something here; everything else is the dispatcher's business. */
export type DispatcherPeerOptions = Pick<PeerOptions, 'readTimeoutMs' | 'requestPolicy'>;

const KNOWN: readonly string[] = ['readTimeoutMs', 'requestPolicy'] satisfies (keyof DispatcherPeerOptions)[];

const numbers = new WeakMap<Dispatcher, number>();
let lastNumber = 0;

/**
 * An upstream behind a dispatcher of undici: Agent, Pool, ProxyAgent, Socks5ProxyAgent, RetryAgent, MockAgent in tests, or
 * whatever `compose()` made of one.
 *
 * Connections, TLS and caps are those of the dispatcher, and their failures reach `errorWhileProxy`, not
 * `failToConnect`. undici takes the TLS server name from the Host field: set that in `upstreamRequestFilter`.
 *
 * @example new DispatcherPeer('https://origin.example', new ProxyAgent('http://proxy.example:3128'))
 */
export class DispatcherPeer implements Peer {
  /** For logs; the dispatcher connects. */
  readonly address: Address;
  readonly options: ResolvedPeerOptions;
  readonly reuseKey: string;
  readonly #dispatcher: Dispatcher;
  readonly #origin: string;

  /** @throws TypeError or RangeError for an origin that is no http(s) URL, no dispatcher, and wrong options. */
  constructor(origin: string | URL, dispatcher: Dispatcher, options: DispatcherPeerOptions = {}) {
    if (typeof dispatcher?.dispatch !== 'function')
      throw new TypeError(
        `the dispatcher is ${typeof dispatcher}: expected a Dispatcher of undici, such as new Agent()`,
      );
    for (const name of Object.keys(options)) {
      if (!KNOWN.includes(name))
        throw new TypeError(`option ${name} means nothing to a DispatcherPeer: give it to the dispatcher`);
    }
    const url = originOf(origin);
    this.address = { host: url.hostname.replace(/^\[|\]$/g, ''), port: Number(url.port) || defaultPort(url) };
    this.options = resolvePeerOptions(options);
    this.#origin = url.origin;
    this.#dispatcher = dispatcher;
    this.reuseKey = `dispatcher ${numberOf(dispatcher)} ${url.origin}`;
  }

  /** A session; nothing is connected before its head is written. */
  openSession(): ClientSession {
    const { readTimeoutMs } = this.options;
    return new DispatcherSession({ dispatcher: this.#dispatcher, origin: this.#origin, readTimeoutMs });
  }

  /** The origin, for logs. */
  toString(): string {
    return this.#origin;
  }
}

function originOf(origin: string | URL): URL {
  const url = URL.parse(String(origin));
  const plain = url !== null && url.pathname === '/' && url.search === '' && url.hash === '' && url.username === '';
  if (plain && (url.protocol === 'http:' || url.protocol === 'https:')) return url;
  throw new TypeError(`origin ${JSON.stringify(String(origin))}: expected http://host[:port] or https://host[:port]`);
}

function defaultPort({ protocol }: URL): number {
  return protocol === 'https:' ? 443 : 80;
}

function numberOf(dispatcher: Dispatcher): number {
  let number = numbers.get(dispatcher);
  if (number === undefined) {
    number = ++lastNumber;
    numbers.set(dispatcher, number);
  }
  return number;
}
