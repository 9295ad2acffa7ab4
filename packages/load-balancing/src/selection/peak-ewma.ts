/**
 * Peak EWMA: of two backends drawn by weight the one that promises the shorter wait, which is its latency times its uses
 * under way.
 *
 * The latency is an average that forgets by e in `decayMs`, jumps up to a slower answer at once and comes down slowly,
 * as in Finagle and linkerd. Between answers it sinks towards zero, so that a backend that was slow is tried again.
 * Since all of them sink by the same factor, comparing needs no clock: kept is the logarithm of latency, plus the time of the
 * last answer in units of `decayMs`.
 */
import type { Backend } from '../backend.ts';
import { SeededIntegers } from './seeded-random.ts';
import type { PickOutcome, Selection, SelectionContext, SelectionFactory } from './selection.ts';
import { STEP_ITEMS, type Steps, stepwiseFactory, weightsOf } from './steps.ts';
import { TwoChoices } from './two-choices.ts';

/** How `PeakEwma` forgets. */
export interface PeakEwmaOptions {
  /** Milliseconds in which an answer loses its influence to 37 %; at least 1. Default 10,000. */
  readonly decayMs?: number | undefined;
}

const DEFAULT_DECAY_MS = 10_000;
/** A failure counts as an answer so many times as slow as the backend was, or as this time if nothing is known. */
const FAILURE_FACTOR = 10;
const FIRST_FAILURE_MS = 1_000;
/** A backend is not shunned for longer than one whose answers take so long. */
const MAX_LATENCY_MS = 600_000;
/** Keeps the logarithm finite. */
const MIN_LATENCY_MS = 0.001;
const UNKNOWN = Number.NEGATIVE_INFINITY;
/** Above every known cost: of a backend that has never answered one use at a time is tried, not a crowd. */
const UNKNOWN_AND_BUSY = 1e12;

class PeakEwmaSelection extends TwoChoices {
  readonly #backends: readonly Backend[];
  readonly #weights: Float64Array;
  readonly #decayMs: number;
  readonly #now: () => number;
  /** ln(latency) + time of the last answer / decayMs. */
  readonly #latencies: Float64Array;
  readonly #answeredAt: Float64Array;
  readonly #inFlight: Uint32Array;
  /** latencies + ln((uses + 1) / weight): what is compared. */
  readonly #costs: Float64Array;

  private constructor(backends: readonly Backend[], decayMs: number, context: SelectionContext | undefined) {
    const weights = weightsOf(backends);
    super(weights, new SeededIntegers((context?.random ?? Math.random)() * 0x100000000));
    this.#backends = backends;
    this.#weights = weights;
    this.#decayMs = decayMs;
    this.#now = context === undefined ? () => performance.now() : () => context.now();
    this.#latencies = new Float64Array(backends.length).fill(UNKNOWN);
    this.#answeredAt = new Float64Array(backends.length);
    this.#inFlight = new Uint32Array(backends.length);
    this.#costs = new Float64Array(backends.length).fill(UNKNOWN);
  }

  static *steps(
    backends: readonly Backend[],
    decayMs: number,
    previous: Selection | undefined,
    context: SelectionContext | undefined,
  ): Steps<Selection> {
    const selection = new PeakEwmaSelection(backends, decayMs, context);
    if (previous instanceof PeakEwmaSelection) yield* selection.#inherit(previous);
    return selection;
  }

  onLoad(position: number, inFlight: number): void {
    this.#inFlight[position] = inFlight;
    this.#updateCost(position);
  }

  onDone(position: number, outcome: PickOutcome | undefined): void {
    if (outcome === undefined) return;
    const now = this.#now();
    const decayed = Math.exp((this.#latencies[position] as number) - now / this.#decayMs);
    const latencyMs = latencyOf(outcome, decayed);
    if (latencyMs === undefined) return;
    const known = this.#latencies[position] !== UNKNOWN;
    const kept = known ? Math.exp(((this.#answeredAt[position] as number) - now) / this.#decayMs) : 0;
    const average = latencyMs > decayed ? latencyMs : decayed + latencyMs * (1 - kept);
    this.#answeredAt[position] = now;
    this.#latencies[position] = Math.log(average) + now / this.#decayMs;
    this.#updateCost(position);
  }

  protected override isBetter(position: number, than: number): boolean {
    return (this.#costs[position] as number) < (this.#costs[than] as number);
  }

  #updateCost(position: number): void {
    const inFlight = this.#inFlight[position] as number;
    const latency = this.#latencies[position] as number;
    const load = Math.log((inFlight + 1) / (this.#weights[position] as number));
    if (latency === UNKNOWN) this.#costs[position] = inFlight === 0 ? UNKNOWN : UNKNOWN_AND_BUSY + load;
    else this.#costs[position] = latency + load;
  }

  /** Takes over what is known about backends that stay. Their uses under way are reported by the balancer. */
  *#inherit(previous: PeakEwmaSelection): Steps<void> {
    const positions = new Map<string, number>();
    for (let i = 0; i < previous.#backends.length; i += 1) {
      if (i % STEP_ITEMS === 0) yield;
      if (previous.#latencies[i] !== UNKNOWN) positions.set((previous.#backends[i] as Backend).address, i);
    }
    for (let i = 0; i < this.#backends.length; i += 1) {
      if (i % STEP_ITEMS === 0) yield;
      const before = positions.get((this.#backends[i] as Backend).address);
      if (before === undefined) continue;
      this.#latencies[i] = previous.#latencies[before] as number;
      this.#answeredAt[i] = previous.#answeredAt[before] as number;
      this.#updateCost(i);
    }
  }
}

/** What the outcome says about the latency; `decayed` is what is expected. */
function latencyOf({ ok, latencyMs }: PickOutcome, decayed: number): number | undefined {
  const measured = latencyMs !== undefined && latencyMs >= 0 ? Math.max(latencyMs, MIN_LATENCY_MS) : undefined;
  if (ok) return measured === undefined ? undefined : Math.min(measured, MAX_LATENCY_MS);
  const penalty = decayed === 0 ? FIRST_FAILURE_MS : decayed * FAILURE_FACTOR;
  return Math.min(Math.max(penalty, measured ?? 0), MAX_LATENCY_MS);
}

function factoryOf({ decayMs = DEFAULT_DECAY_MS }: PeakEwmaOptions): SelectionFactory {
  if (!(Number.isFinite(decayMs) && decayMs >= 1)) {
    throw new RangeError(`PeakEwma: decayMs must be a number of milliseconds from 1, got ${String(decayMs)}`);
  }
  return stepwiseFactory('PeakEwma', (backends, previous, context) =>
    PeakEwmaSelection.steps(backends, decayMs, previous, context),
  );
}

/** The factory, and how to get one that forgets faster or slower. */
export interface PeakEwmaFactory extends SelectionFactory {
  /** Throws RangeError for a `decayMs` that is no time. */
  with(options: PeakEwmaOptions): SelectionFactory;
}

/**
 * Draws two backends by weight and takes the one with the smaller latency x (uses under way + 1) / weight; the key is ignored.
 * For backends that are not equally fast, or not always. Needs `pick` or `acquire`, and `done({ ok, latencyMs })`: failures count
 * as answers ten times as slow as usual. What is known about a backend survives changes of the list; one about which nothing is
 * known is tried with one use at a time. Without latencies it is `PowerOfTwoChoices`, with `select` `Random`. O(log n).
 */
export const PeakEwma: PeakEwmaFactory = { ...factoryOf({}), with: factoryOf };
