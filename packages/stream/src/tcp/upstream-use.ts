/**
 * The connection of a session to its upstream, counted for as long as it is open.
 */
import type { PeerCounters } from '@cirque/pool';
import type { Address, Digest, Stream } from '@cirque/transport';
import type { UpstreamEnd } from '../stream-session.ts';

/** See the file's head. */
export class UpstreamUse implements UpstreamEnd {
  readonly address: Address;
  readonly #stream: Stream;

  constructor(address: Address, stream: Stream, counters: PeerCounters) {
    this.address = address;
    this.#stream = stream;
    counters.connects += 1;
    counters.connections += 1;
    stream.duplex.on('close', () => {
      counters.connections -= 1;
    });
  }

  get digest(): Digest {
    return this.#stream.digest;
  }
}
