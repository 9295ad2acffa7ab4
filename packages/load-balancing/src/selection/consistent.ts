/**
 * Consistent hashing on nginx's Ketama ring.
 *
 * A key belongs to the first point clockwise of its hash; after a refusal the walk goes on clockwise to the next
 * backend not yet offered. So a backend that fails or leaves gives its keys to its neighbours on the ring and no other
 * key moves. The ring itself is that of @cirque/ketama.
 */
import type { KetamaOptions } from '@cirque/ketama';
import type { Backend } from '../backend.ts';
import { RingCandidates } from './ring-candidates.ts';
import type { Selection, SelectionFactory, SelectionKey } from './selection.ts';
import { type Steps, stepwiseFactory } from './steps.ts';

class RingSelection implements Selection {
  readonly #candidates: RingCandidates;

  private constructor(candidates: RingCandidates) {
    this.#candidates = candidates;
  }

  static *steps(backends: readonly Backend[], options: KetamaOptions): Steps<Selection> {
    return new RingSelection(yield* RingCandidates.steps('Consistent', backends, options));
  }

  first(key: SelectionKey): number {
    this.#candidates.start(key);
    return this.#candidates.next();
  }

  next(): number {
    return this.#candidates.next();
  }
}

/** The factory, and how to get other rings. */
export interface ConsistentFactory extends SelectionFactory {
  /**
   * A ring with other options: `pointsPerWeight` (default 160), and `ipv6Brackets: true` to agree with an nginx that has
   * IPv6 servers (default false, as in Pingora).
   */
  with(options: KetamaOptions): SelectionFactory;
}

function factoryOf(options: KetamaOptions): SelectionFactory {
  return stepwiseFactory('Consistent', (backends) => RingSelection.steps(backends, options));
}

/**
 * The same key goes to the same backend, and few keys move when the set changes. Chooses the very backend that nginx
 * chooses with `hash ... consistent` for the same addresses, weights and key.
 */
export const Consistent: ConsistentFactory = { ...factoryOf({}), with: factoryOf };
