/**
 * Lets backends that have just come (back) into rotation grow into their share.
 *
 * Works on candidates, so for every algorithm: a young backend is passed over, the less often the older it gets. Whoever
 * chooses takes the first one passed over when nobody else is left.
 */
import type { Clock } from '@cirque/timeout';
import type { BackendState } from './backend-state.ts';

/** Share with which a backend begins. */
const FIRST_SHARE = 0.1;

/** Keeps the time of one balancer's slow starts. */
export class SlowStart {
  readonly #durationMs: number;
  readonly #clock: Clock;
  readonly #random: () => number;
  /** When the youngest is grown up; undefined while nobody is young. */
  #endsAtMs: number | undefined;

  /** A duration of 0: nobody is ever young. */
  constructor(durationMs: number, clock: Clock, random: () => number) {
    this.#durationMs = durationMs;
    this.#clock = clock;
    this.#random = random;
  }

  /** Somebody may be young. Looks at the clock only while that is so. */
  get isActive(): boolean {
    if (this.#endsAtMs === undefined) return false;
    if (this.#clock.now() < this.#endsAtMs) return true;
    this.#endsAtMs = undefined;
    return false;
  }

  /** This backend is young from now on. */
  begin(state: BackendState): void {
    if (this.#durationMs === 0) return;
    state.youngSinceMs = this.#clock.now();
    this.#endsAtMs = state.youngSinceMs + this.#durationMs;
  }

  isYoung(state: BackendState): boolean {
    return this.isActive && this.#shareOf(state) < 1;
  }

  /** Draws whether a candidate is passed over this time. */
  passesOver(state: BackendState): boolean {
    const share = this.#shareOf(state);
    return share < 1 && this.#random() >= share;
  }

  #shareOf(state: BackendState): number {
    const age = (this.#clock.now() - state.youngSinceMs) / this.#durationMs;
    return FIRST_SHARE + (1 - FIRST_SHARE) * age;
  }
}
