/**
 * One immutable snapshot of a balancer: the backends, who of them is in rotation, and the algorithms at work on them.
 *
 * Whatever changes makes a new snapshot, published by one assignment in backend-set.ts; nobody ever sees half
 * a change. Snapshots that differ only in states share everything else (lineup.ts).
 */
import type { Backend } from './backend.ts';
import type { BackendState } from './backend-state.ts';
import { type Bits, hasBit } from './bits.ts';
import { isFull, type Lineup } from './lineup.ts';
import type { Rotation } from './rotation.ts';
import type { Selection, SelectionKey } from './selection/selection.ts';
import type { SlowStart } from './slow-start.ts';
import type { Tier } from './tier.ts';

/** Decides whether a candidate would do. `healthy` is true when it is in rotation. */
export type Accept = (backend: Backend, healthy: boolean) => boolean;

/** In the place of a position: no backend would do. */
export const NOBODY: number = -1;
/** In the place of a position: backends would do, but those looked at are at their caps. */
export const ALL_FULL: number = -2;

/** What a careful choice heeds besides rotation. */
export interface ChoiceRules {
  /** In the place of being in rotation. */
  readonly accept: Accept | undefined;
  /** Backends at their caps are not taken. */
  readonly withCaps: boolean;
  readonly slowStart: SlowStart;
}

/** The algorithm while nobody is in rotation. */
const NO_SELECTION: Selection = { first: () => -1, next: () => -1 };

/** The backends at one moment; iterates over them by priority, then in the order given, those of weight zero last. */
export class Backends implements Iterable<Backend> {
  readonly #lineup: Lineup;
  readonly #rotation: Rotation;
  /** Of the first tier with anybody in rotation. */
  readonly #selection: Selection;
  readonly #start: number;
  readonly #ready: Bits;
  readonly #list: readonly Backend[];
  readonly #picks: Uint32Array;

  /** For the balancer. */
  constructor(lineup: Lineup, rotation: Rotation) {
    const tier = lineup.tiers[rotation.firstLive];
    this.#lineup = lineup;
    this.#rotation = rotation;
    this.#selection = tier?.selection ?? NO_SELECTION;
    this.#start = tier?.start ?? 0;
    this.#ready = rotation.ready;
    this.#list = lineup.list;
    this.#picks = lineup.picks.recent;
  }

  /** How many backends there are, whatever their state. */
  get size(): number {
    return this.#list.length;
  }

  [Symbol.iterator](): Iterator<Backend> {
    return this.#list[Symbol.iterator]();
  }

  /** The backend with this canonical address. */
  find(address: string): Backend | undefined {
    const position = this.#lineup.positions.get(address);
    return position === undefined ? undefined : this.#list[position];
  }

  /** True for a backend of this snapshot that its health checks call healthy; so they do before the first one. */
  isHealthy(backend: { readonly address: string }): boolean {
    return this.#has(this.#rotation.healthy, backend.address);
  }

  /** True for a backend of this snapshot that is active and that the discovery has not switched off. */
  isEnabled(backend: { readonly address: string }): boolean {
    return this.#has(this.#rotation.enabled, backend.address);
  }

  /** True for a backend of this snapshot that passive health has taken out for a while. */
  isEjected(backend: { readonly address: string }): boolean {
    return this.#has(this.#rotation.ejected, backend.address);
  }

  /**
   * True for a backend of this snapshot that is in rotation: enabled, healthy and not ejected; or enabled, where so few others
   * of its priority are well that it does not matter (`panicThreshold`).
   */
  isReady(backend: { readonly address: string }): boolean {
    return this.#has(this.#ready, backend.address);
  }

  /** For the balancer: what is behind it. */
  get lineup(): Lineup {
    return this.#lineup;
  }

  /** For the balancer: who is in rotation. */
  get rotation(): Rotation {
    return this.#rotation;
  }

  /** For the balancer: the position of the first candidate in rotation among the first `maxIterations` of a tier, or NOBODY. */
  choose(key: SelectionKey, maxIterations: number): number {
    const position = this.#chooseIn(this.#selection, this.#start, key, maxIterations);
    return position === NOBODY ? this.#chooseBehind(key, maxIterations) : position;
  }

  /** Candidates of the first tier are many, and none of those looked at would do: the tiers behind it have their turn. */
  #chooseBehind(key: SelectionKey, maxIterations: number): number {
    const { tiers } = this.#lineup;
    for (let i = this.#rotation.firstLive + 1; i < tiers.length; i += 1) {
      if (!this.#rotation.isLive(i)) continue;
      const { selection, start } = tiers[i] as Tier;
      const position = this.#chooseIn(selection, start, key, maxIterations);
      if (position !== NOBODY) return position;
    }
    return NOBODY;
  }

  #chooseIn(selection: Selection, start: number, key: SelectionKey, maxIterations: number): number {
    let left = maxIterations;
    if (!(left > 0)) return NOBODY;
    let candidate = selection.first(key);
    while (candidate >= 0) {
      const position = start + candidate;
      if (hasBit(this.#ready, position)) return position;
      left -= 1;
      if (!(left > 0)) return NOBODY;
      candidate = selection.next();
    }
    return NOBODY;
  }

  /**
   * For the balancer: as `choose`, with more rules; tier after tier. Somebody young who was passed over is taken before
   * the next tier has its turn. What `accept` throws passes through.
   */
  chooseCarefully(key: SelectionKey, maxIterations: number, rules: ChoiceRules): number {
    const { tiers } = this.#lineup;
    let outcome = NOBODY;
    if (!(maxIterations > 0)) return outcome;
    for (let i = 0; i < tiers.length; i += 1) {
      if (rules.accept === undefined && !this.#rotation.isLive(i)) continue;
      const { selection, start } = tiers[i] as Tier;
      let left = maxIterations;
      let passedOver = NOBODY;
      let candidate = selection.first(key);
      while (candidate >= 0) {
        const position = start + candidate;
        const verdict = this.#judge(position, rules);
        if (verdict === 'take') return position;
        if (verdict === 'young' && passedOver === NOBODY) passedOver = position;
        if (verdict === 'full') outcome = ALL_FULL;
        left -= 1;
        candidate = left > 0 ? selection.next() : -1;
      }
      if (passedOver !== NOBODY) return passedOver;
    }
    return outcome;
  }

  /** For the balancer: the backend at a position that was chosen, counted as chosen; undefined where none was. */
  take(position: number): Backend | undefined {
    if (position < 0) return undefined;
    (this.#picks[position] as number) += 1;
    return this.#list[position];
  }

  #judge(position: number, rules: ChoiceRules): 'take' | 'refused' | 'full' | 'young' {
    const isReady = hasBit(this.#ready, position);
    const fits = rules.accept === undefined ? isReady : rules.accept(this.#list[position] as Backend, isReady);
    if (!fits) return 'refused';
    if (rules.withCaps && isFull(this.#lineup, position)) return 'full';
    const isPassedOver =
      rules.slowStart.isActive && rules.slowStart.passesOver(this.#lineup.states[position] as BackendState);
    return isPassedOver ? 'young' : 'take';
  }

  #has(bits: Bits, address: string): boolean {
    const position = this.#lineup.positions.get(address);
    return position !== undefined && hasBit(bits, position);
  }
}
