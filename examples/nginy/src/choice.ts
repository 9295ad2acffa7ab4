// The server of one connection or UDP session: chosen, told what came of it, and another one after a failure.
import type { Backend, LoadBalancer, Pick } from '@cirque/load-balancing';

const MAX_FAILURES = 3;

export class Choice {
  readonly #balancer: LoadBalancer;
  #pick: Pick | undefined;
  #failures = 0;

  constructor(balancer: LoadBalancer) {
    this.#balancer = balancer;
  }

  next(): Backend {
    this.#pick = this.#balancer.pick('');
    if (this.#pick === undefined) throw new Error('no server in rotation');
    return this.#pick.backend;
  }

  /** True when another one is worth a try. */
  failed(): boolean {
    this.done(false);
    this.#failures += 1;
    return this.#failures <= MAX_FAILURES;
  }

  done(ok: boolean): void {
    this.#pick?.done({ ok });
  }
}
