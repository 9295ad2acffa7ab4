/**
 * What a balancer remembers about each address from one list to the next: health, and the two switches.
 *
 * Keyed by address alone, so that a new weight or new data leaves health and switches as they are. An address that
 * leaves the list is forgotten; should it come back, it begins as healthy and enabled.
 */
import type { Backend } from './backend.ts';
import { Health } from './health/health.ts';
import type { BackendsChange } from './replication/balancer-change.ts';

/** The changing side of one backend. */
export interface BackendState {
  readonly health: Health;
  /** The operator's switch (`setEnabled`). */
  isSwitchedOn: boolean;
  /** The discovery's switch. */
  isDiscovered: boolean;
}

/** States by canonical address. */
export class BackendStates {
  readonly #states = new Map<string, BackendState>();

  /** The state of an address in the list. */
  get(address: string): BackendState | undefined {
    return this.#states.get(address);
  }

  /** Healthy, as far as is known; true for an address not in the list. */
  readonly isHealthy = (address: string): boolean => this.#states.get(address)?.health.healthy ?? true;

  /** Both switches are on; true for an address not in the list. */
  readonly isEnabled = (address: string): boolean => {
    const state = this.#states.get(address);
    return state === undefined || (state.isSwitchedOn && state.isDiscovered);
  };

  /**
   * Takes over a list with all its states from another balancer. Returns the addresses whose health is another one than before;
   * those that were not there count as having been healthy.
   */
  copy(change: BackendsChange): string[] {
    const undiscovered = new Map(change.undiscovered.map((address) => [address, false]));
    this.#keep(change.addresses, undiscovered);
    const unhealthy = new Set(change.unhealthy);
    const switchedOff = new Set(change.switchedOff);
    const flipped: string[] = [];
    for (const [address, state] of this.#states) {
      state.isSwitchedOn = !switchedOff.has(address);
      if (state.health.become(!unhealthy.has(address))) flipped.push(address);
    }
    return flipped;
  }

  /** Takes over a new list and the discovery's switches (on where it says nothing). */
  replace(backends: readonly Backend[], discovered: ReadonlyMap<string, boolean> | undefined): void {
    this.#keep(
      backends.map((backend) => backend.address),
      discovered,
    );
  }

  #keep(list: readonly string[], discovered: ReadonlyMap<string, boolean> | undefined): void {
    const addresses = new Set(list);
    for (const address of this.#states.keys()) {
      if (!addresses.has(address)) this.#states.delete(address);
    }
    for (const address of addresses) {
      const isDiscovered = discovered?.get(address) ?? true;
      const known = this.#states.get(address);
      if (known === undefined) this.#states.set(address, { health: new Health(), isSwitchedOn: true, isDiscovered });
      else known.isDiscovered = isDiscovered;
    }
  }
}
