/**
 * Peers for backends: one per backend where nothing of a request goes into it, made once and kept as long as the backend lives.
 *
 * Per client, or per name, are those that carry a PROXY header or take the server name from the request.
 */
import { isIP } from 'node:net';
import type { Backend } from '@cirque/load-balancing';
import { proxyProtocolOf } from '@cirque/pool';
import type { StreamPeerOptions } from '@cirque/stream';
import { type Digest, isUnixAddress } from '@cirque/transport';

/** What of a client may go into a peer. */
export interface PeerFacts {
  /** Of the client's connection. */
  readonly digest: Pick<Digest, 'socket'>;
  /** The name that the client asks for: Host without port, or the server name of its handshake. */
  readonly host: string | undefined;
}

/** The options of a group that decide what a peer depends on. */
export interface PeerSettings<Options extends StreamPeerOptions> {
  readonly options: Options;
  readonly proxyProtocol: 1 | 2 | undefined;
}

/** A client chooses the names; so many are kept per backend. */
const MAX_NAMES = 64;

/** See the file's head. `P` is the class of the peers, `Options` what it is made of. */
export class BackendPeers<P, Options extends StreamPeerOptions = StreamPeerOptions> {
  readonly #settings: PeerSettings<Options>;
  readonly #make: (backend: Backend, options: Options) => P;
  readonly #namesFromClients: boolean;
  readonly #fixed = new WeakMap<Backend, P>();
  readonly #named = new WeakMap<Backend, Map<string, P>>();

  constructor(settings: PeerSettings<Options>, make: (backend: Backend, options: Options) => P) {
    const { tls, sni } = settings.options;
    this.#settings = settings;
    this.#make = make;
    this.#namesFromClients = tls === true && sni === undefined;
  }

  /** The peer of a backend for a client. `facts` is looked at only where something of the client goes in. */
  of(backend: Backend, facts: PeerFacts): P {
    const { options, proxyProtocol } = this.#settings;
    if (proxyProtocol !== undefined) {
      const name = this.#serverName(backend, facts);
      const own = { ...options, proxyProtocol: proxyProtocolOf(facts.digest, proxyProtocol) };
      return this.#make(backend, name === undefined ? own : { ...own, sni: name });
    }
    if (this.#namesFromClients) {
      const name = this.#serverName(backend, facts);
      if (name !== undefined) return this.#ofName(backend, name);
    }
    let peer = this.#fixed.get(backend);
    if (peer === undefined) {
      peer = this.#make(backend, options);
      this.#fixed.set(backend, peer);
    }
    return peer;
  }

  /** The client's, where the backend has no name of its own. */
  #serverName(backend: Backend, { host }: PeerFacts): string | undefined {
    if (!this.#namesFromClients || host === undefined || !isServerName(host)) return undefined;
    return isUnixAddress(backend) || isIP(backend.host) !== 0 ? host : undefined;
  }

  #ofName(backend: Backend, sni: string): P {
    let peers = this.#named.get(backend);
    if (peers === undefined) {
      peers = new Map();
      this.#named.set(backend, peers);
    }
    let peer = peers.get(sni);
    if (peer === undefined) {
      if (peers.size >= MAX_NAMES) peers.clear();
      peer = this.#make(backend, { ...this.#settings.options, sni });
      peers.set(sni, peer);
    }
    return peer;
  }
}

function isServerName(host: string): boolean {
  return host.length <= 253 && /^[a-z0-9_-]+(?:\.[a-z0-9_-]+)*$/.test(host);
}
