/**
 * The four ways to get a backend: select, selectWith, pick, acquire.
 *
 * Joins the snapshot (who is there), the uses under way (who has room) and the queue (who waits for room). Choices never
 * overlap: an algorithm goes through the candidates of one choice at a time.
 */
import { CirqueError } from '@cirque/error';
import type { Backend } from './backend.ts';
import type { BackendSet } from './backend-set.ts';
import { type Accept, ALL_FULL, type ChoiceRules, NOBODY } from './backends.ts';
import { isFull } from './lineup.ts';
import type { Pick } from './pick.ts';
import type { AcquireOptions, PickOptions } from './pick-options.ts';
import type { SelectionKey } from './selection/selection.ts';
import type { SlowStart } from './slow-start.ts';
import { tierAt } from './tier.ts';
import type { Uses } from './uses.ts';
import type { Waiter, WaitingPicks } from './waiting-picks.ts';

/** How many candidates of each priority are looked at where the caller says nothing. */
export const MAX_ITERATIONS = 256;

/** What a chooser joins. */
export interface ChooserParts {
  readonly set: BackendSet;
  readonly uses: Uses;
  readonly slowStart: SlowStart;
  readonly waiting: WaitingPicks;
}

/** Chooses for one balancer. */
export class Chooser {
  readonly #set: BackendSet;
  readonly #uses: Uses;
  readonly #slowStart: SlowStart;
  readonly #waiting: WaitingPicks;
  readonly #slowly: ChoiceRules;
  readonly #withinCaps: ChoiceRules;
  #isChoosing = false;

  constructor({ set, slowStart, uses, waiting }: ChooserParts) {
    this.#set = set;
    this.#uses = uses;
    this.#slowStart = slowStart;
    this.#waiting = waiting;
    this.#slowly = { accept: undefined, withCaps: false, slowStart };
    this.#withinCaps = { accept: undefined, withCaps: true, slowStart };
  }

  select(key: SelectionKey, maxIterations: number): Backend | undefined {
    if (this.#isChoosing) throw reentered();
    const { snapshot } = this.#set;
    const position = this.#slowStart.isActive
      ? snapshot.chooseCarefully(key, maxIterations, this.#slowly)
      : snapshot.choose(key, maxIterations);
    return snapshot.take(position);
  }

  selectWith(key: SelectionKey, maxIterations: number, accept: Accept): Backend | undefined {
    const { snapshot } = this.#set;
    return snapshot.take(this.#chooseWith(key, maxIterations, { ...this.#slowly, accept }));
  }

  pick(key: SelectionKey, options: PickOptions): Pick | undefined {
    return this.#uses.begin(this.#positionFor(key, options));
  }

  acquire(key: SelectionKey, options: AcquireOptions): Pick | Promise<Pick> {
    const position = this.#positionFor(key, options);
    if (position === ALL_FULL) return this.#waiting.wait(key, options);
    const pick = this.#uses.begin(position);
    if (pick === undefined) throw noBackend();
    return pick;
  }

  /** A use has ended at this position of the present snapshot: the first in the queue who can do with it goes on. */
  released(position: number): void {
    this.#serveAll((waiter) => {
      if (isFull(this.#set.snapshot.lineup, position)) return 'stop';
      return this.#fits(position, waiter.options) ? position : ALL_FULL;
    });
  }

  /** Backends may have come, or come back: whoever can go on does, and who waits for nobody is told. */
  retry(): void {
    this.#serveAll((waiter) => {
      const position = this.#positionFor(waiter.key, waiter.options);
      // Where one finds everybody full, so do those after him who are not choosy, either.
      return position === ALL_FULL && waiter.options.accept === undefined ? 'stop' : position;
    });
  }

  /** Goes through the queue: `find` says who gets which position, ALL_FULL lets one wait on, 'stop' all that follow. */
  #serveAll(find: (waiter: Waiter) => number | 'stop'): void {
    if (this.#waiting.size === 0) return;
    if (this.#isChoosing) {
      // It was `accept` that changed something; its choice comes first.
      queueMicrotask(() => this.retry());
      return;
    }
    for (const waiter of this.#waiting) {
      try {
        const position = find(waiter);
        if (position === 'stop') return;
        if (position === ALL_FULL) continue;
        const pick = this.#uses.begin(position);
        if (pick === undefined) this.#waiting.fail(waiter, noBackend());
        else this.#waiting.serve(waiter, pick);
      } catch (error) {
        this.#waiting.fail(waiter, error);
      }
    }
  }

  #positionFor(key: SelectionKey, { accept, maxIterations = MAX_ITERATIONS, prefer }: PickOptions): number {
    if (this.#isChoosing) throw reentered();
    const preferred = prefer === undefined ? NOBODY : this.#preferred(prefer, accept);
    if (preferred !== NOBODY) return preferred;
    if (accept !== undefined) return this.#chooseWith(key, maxIterations, { ...this.#withinCaps, accept });
    const { snapshot } = this.#set;
    if (snapshot.lineup.caps === undefined && !this.#slowStart.isActive) return snapshot.choose(key, maxIterations);
    return snapshot.chooseCarefully(key, maxIterations, this.#withinCaps);
  }

  #chooseWith(key: SelectionKey, maxIterations: number, rules: ChoiceRules): number {
    return this.#exclusively(() => this.#set.snapshot.chooseCarefully(key, maxIterations, rules));
  }

  /** The position of the backend that a client is stuck to, if it may have it. */
  #preferred(address: string, accept: Accept | undefined): number {
    const position = this.#set.snapshot.lineup.positions.get(address);
    if (position === undefined || !this.#takesOldClients(position)) return NOBODY;
    if (isFull(this.#set.snapshot.lineup, position) || !this.#accepts(accept, position, true)) return NOBODY;
    return position;
  }

  #takesOldClients(position: number): boolean {
    const { lineup, rotation } = this.#set.snapshot;
    const state = lineup.states[position];
    return state?.takesOldClients === true && (state.isWell || rotation.isPanicAt(position));
  }

  /** True when somebody who waits would have taken this backend. */
  #fits(position: number, { accept, prefer }: AcquireOptions): boolean {
    const { lineup, rotation } = this.#set.snapshot;
    if (prefer !== undefined && lineup.list[position]?.address === prefer && this.#takesOldClients(position)) {
      return this.#accepts(accept, position, true);
    }
    // Of weight 0: it may have clients that are stuck to it, and gets no others.
    if (tierAt(lineup.tiers, position) === undefined) return false;
    const isReady = rotation.isReadyAt(position);
    return accept === undefined ? isReady : this.#accepts(accept, position, isReady);
  }

  #accepts(accept: Accept | undefined, position: number, isReady: boolean): boolean {
    const backend = this.#set.snapshot.lineup.list[position] as Backend;
    return accept === undefined || this.#exclusively(() => accept(backend, isReady));
  }

  /** Runs what calls `accept`, which must not choose. */
  #exclusively<T>(run: () => T): T {
    if (this.#isChoosing) throw reentered();
    this.#isChoosing = true;
    try {
      return run();
    } finally {
      this.#isChoosing = false;
    }
  }
}

function noBackend(): CirqueError {
  return CirqueError.upstream('ConnectNoRoute', 'no backend in rotation');
}

function reentered(): CirqueError {
  return CirqueError.internal('InternalError', 'accept must not choose from the balancer it is deciding for');
}
