/**
 * The two directions of a tunnel: each ends on its own, the tunnel is over when both have.
 */

/** See the file's head. */
export class TunnelEnds {
  /** A tunnel through which nothing passes for so long is cut; 0: never. */
  readonly idleTimeoutMs: number;
  #client = false;
  #upstream = false;

  constructor(idleTimeoutMs: number) {
    this.idleTimeoutMs = idleTimeoutMs;
  }

  /** The client sends nothing more. True: the tunnel is over. */
  clientEnded(): boolean {
    this.#client = true;
    return this.#upstream;
  }

  /** The upstream sends nothing more. True: the tunnel is over. */
  upstreamEnded(): boolean {
    this.#upstream = true;
    return this.#client;
  }
}
