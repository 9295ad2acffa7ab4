/**
 * Stands in for the balancer: chooses, refuses, and tells a selection what is in use. A fixed number of uses is under way;
 * the oldest one ends when another begins.
 */
import type { PickOutcome, Selection, SelectionKey } from '../src/selection/selection.ts';

const FINE: PickOutcome = { ok: true, latencyMs: 5 };

export class UsesUnderWay {
  readonly selection: Selection;
  /** By position. */
  readonly inFlight = new Map<number, number>();
  /** Candidates that were looked at. */
  offers = 0;
  readonly #limit: number;
  readonly #order: number[] = [];
  #oldest = 0;

  constructor(selection: Selection, limit: number) {
    this.selection = selection;
    this.#limit = limit;
  }

  /** Begins a use of the first candidate that is not out; its position, -1 when all are out. */
  begin(key: SelectionKey, isOut: (position: number) => boolean = () => false): number {
    if (this.#order.length - this.#oldest >= this.#limit) this.endOldest();
    let position = this.selection.first(key);
    this.offers += 1;
    while (position !== -1 && isOut(position)) {
      position = this.selection.next();
      this.offers += 1;
    }
    if (position === -1) return -1;
    this.#add(position, 1);
    this.#order.push(position);
    return position;
  }

  /** Ends the use that began first. */
  endOldest(outcome: PickOutcome | undefined = FINE): void {
    const position = this.#order[this.#oldest];
    if (position === undefined) throw new Error('no use is under way');
    this.#oldest += 1;
    this.#add(position, -1);
    this.selection.onDone?.(position, outcome);
  }

  #add(position: number, change: number): void {
    const inFlight = (this.inFlight.get(position) ?? 0) + change;
    this.inFlight.set(position, inFlight);
    this.selection.onLoad?.(position, inFlight);
  }
}
