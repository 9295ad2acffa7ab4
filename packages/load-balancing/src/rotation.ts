/**
 * Who of a list is in rotation at one moment, as bits.
 *
 * In rotation is who is enabled, healthy and not ejected; in a tier where too few of the enabled are well, whoever is enabled
 * (panic: better all of them than a few that break down under the load of all). Never changes.
 */
import type { BackendState } from './backend-state.ts';
import { type Bits, copyBits, countBits, hasBit, makeBits, setBit } from './bits.ts';
import { type Tier, tierAt } from './tier.ts';

/** What is known about each backend. */
interface Facts {
  readonly healthy: Bits;
  readonly enabled: Bits;
  readonly ejected: Bits;
}

/** Of the same list as the tiers it was made with. */
export class Rotation {
  readonly healthy: Bits;
  readonly enabled: Bits;
  readonly ejected: Bits;
  /** Those in rotation. */
  readonly ready: Bits;
  /** Index of the first tier with anybody in rotation, the number of tiers when there is none. */
  readonly firstLive: number;
  readonly #tiers: readonly Tier[];
  readonly #threshold: number;
  readonly #live: readonly boolean[];
  readonly #panics: readonly boolean[];

  private constructor(facts: Facts, tiers: readonly Tier[], threshold: number) {
    this.healthy = facts.healthy;
    this.enabled = facts.enabled;
    this.ejected = facts.ejected;
    this.#tiers = tiers;
    this.#threshold = threshold;
    this.ready = bothButNot(facts.healthy, facts.enabled, facts.ejected);
    this.#panics = tiers.map((tier) => this.#mustPanic(tier));
    for (const [i, { start, end }] of tiers.entries()) {
      if (this.#panics[i] === true) copyBits(this.ready, this.enabled, start, end);
    }
    this.#live = tiers.map(({ start, end }) => countBits(this.ready, start, end) > 0);
    const first = this.#live.indexOf(true);
    this.firstLive = first === -1 ? tiers.length : first;
  }

  /** The rotation that follows from states by position. `threshold`: share of the enabled of a tier that must be well. */
  static of(states: readonly BackendState[], tiers: readonly Tier[], threshold: number): Rotation {
    const healthy = makeBits(states.length);
    const enabled = makeBits(states.length);
    const ejected = makeBits(states.length);
    for (let i = 0; i < states.length; i += 1) {
      const state = states[i] as BackendState;
      if (state.health.healthy) setBit(healthy, i, true);
      if (state.isEnabled) setBit(enabled, i, true);
      if (state.isEjected) setBit(ejected, i, true);
    }
    return new Rotation({ healthy, enabled, ejected }, tiers, threshold);
  }

  /** This rotation with one fact about one backend changed. */
  with(fact: keyof Facts, position: number, value: boolean): Rotation {
    const bits = this[fact].slice();
    setBit(bits, position, value);
    const { ejected, enabled, healthy } = this;
    return new Rotation({ healthy, enabled, ejected, [fact]: bits }, this.#tiers, this.#threshold);
  }

  /** True when anybody of the tier with this index is in rotation. */
  isLive(tier: number): boolean {
    return this.#live[tier] === true;
  }

  /** True when health and ejection are ignored in any tier. */
  get hasPanic(): boolean {
    return this.#panics.includes(true);
  }

  /** True when health and ejection of the backend at a position are ignored. */
  isPanicAt(position: number): boolean {
    const tier = this.hasPanic ? tierAt(this.#tiers, position) : undefined;
    return tier !== undefined && this.#panics[this.#tiers.indexOf(tier)] === true;
  }

  isReadyAt(position: number): boolean {
    return hasBit(this.ready, position);
  }

  #mustPanic({ start, end }: Tier): boolean {
    if (this.#threshold === 0) return false;
    const well = countBits(this.ready, start, end);
    return well < this.#threshold * countBits(this.enabled, start, end);
  }
}

function bothButNot(one: Bits, other: Bits, not: Bits): Bits {
  const bits = new Uint32Array(one.length);
  for (let i = 0; i < bits.length; i += 1) bits[i] = (one[i] as number) & (other[i] as number) & ~(not[i] as number);
  return bits;
}
