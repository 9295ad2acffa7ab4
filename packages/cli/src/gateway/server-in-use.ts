/**
 * The server of a connection or flow: the one that its client had before, where it is to stay with it, else the choice of the
 * balancer; another one after a failure.
 */
import type { AcquireOptions, Pick } from '@cirque/load-balancing';
import type { StreamClient } from '../upstreams/selection-key.ts';
import { MAX_CANDIDATES, type UpstreamGroup } from '../upstreams/upstream-group.ts';

/** One for each connection or flow. */
export class ServerInUse {
  readonly #group: UpstreamGroup;
  readonly #client: StreamClient;
  #pick: Pick | undefined;
  /** Addresses of servers that have failed here; undefined as long as there are none. */
  #tried: string[] | undefined;

  constructor(group: UpstreamGroup, client: StreamClient) {
    this.#group = group;
    this.#client = client;
  }

  get group(): UpstreamGroup {
    return this.#group;
  }

  /** How many servers have failed. */
  get failures(): number {
    return this.#tried?.length ?? 0;
  }

  /**
   * A server, now or when one is free. The one before is given back.
   *
   * @param signal aborted when the client has left; asked for where somebody may have to wait.
   * @throws CirqueError of type ConnectNoRoute, or rejects with it, when there is none.
   */
  next(signal: () => AbortSignal | undefined): Pick | Promise<Pick> {
    this.done(undefined);
    const group = this.#group;
    return group.balancer.acquire(group.streamKey(this.#client), this.#options(signal));
  }

  /** This server it is. */
  take(pick: Pick): void {
    this.#pick = pick;
  }

  /** The server could not be reached: it is not asked again. */
  failed(): void {
    const address = this.#pick?.backend.address;
    this.done(false);
    this.#tried ??= [];
    if (address !== undefined) this.#tried.push(address);
  }

  /** The server could be reached: its client stays with it where the upstream says so. */
  settled(): void {
    if (this.#pick !== undefined) this.#group.remember(this.#client.address, this.#pick.backend);
  }

  /** Gives the server back, if there is one. `ok` undefined: nothing is known of it. */
  done(ok: boolean | undefined, latencyMs?: number): void {
    const pick = this.#pick;
    this.#pick = undefined;
    pick?.done(ok === undefined ? undefined : { ok, latencyMs });
  }

  #options(signal: () => AbortSignal | undefined): AcquireOptions {
    const tried = this.#tried;
    const { config, stickySource } = this.#group;
    const { address } = this.#client;
    const common = { maxIterations: MAX_CANDIDATES, ...(config.queueSize > 0 ? { signal: signal() } : {}) };
    if (tried !== undefined) {
      return { ...common, accept: (backend, healthy) => healthy && !tried.includes(backend.address) };
    }
    return { ...common, prefer: address === undefined ? undefined : stickySource?.get(address) };
  }
}
