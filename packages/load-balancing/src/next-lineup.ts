/**
 * Makes the next lineup of a balancer, in steps, and lets it take over at one moment.
 *
 * While it is being made, the one before is at work: choices, releases and changes of state go on. What they change is read,
 * or read again, in `takeOver`, which is quick: nothing is lost, and a lineup that is never published leaves no trace.
 */
import type { Backend } from './backend.ts';
import { isSame } from './backend-list.ts';
import { BackendState } from './backend-state.ts';
import type { Lineup } from './lineup.ts';
import { PickCounts } from './pick-counts.ts';
import { STEP_MASK, type Steps } from './run-in-slices.ts';
import type { Selection, SelectionFactory } from './selection/selection.ts';
import type { Tier } from './tier.ts';

/** Up to here an algorithm is built in one go: quicker, and short enough. */
const IN_ONE_GO = 2_000;

/** What lineups of one balancer are made with. */
export interface LineupParts {
  readonly factory: SelectionFactory;
  /** Cap of backends that name none; 0: none. */
  readonly maxConnections: number;
  now(): number;
  random(): number;
  /** The state of an address that has left the list while uses of it were under way. */
  departed(address: string): BackendState | undefined;
}

/** A lineup that has not taken over yet. */
export class NextLineup {
  readonly lineup: Lineup;
  /** States of backends that the list before does not have. */
  readonly added: readonly BackendState[];
  /** Backends, with their positions before, that are no longer there. */
  readonly removed: readonly number[];
  readonly #before: Lineup;
  /** Positions in the list before, -1 for those that are new. */
  readonly #origins: Int32Array;
  /** How many uses under way the new algorithms have been told of. */
  readonly #told: Uint32Array;

  private constructor(before: Lineup, draft: Draft, tiers: readonly Tier[], removed: readonly number[]) {
    const { added, caps, list, origins, positions, states } = draft;
    this.#before = before;
    this.lineup = { list: Object.freeze(list), positions, states, tiers, caps, picks: new PickCounts(list.length) };
    this.added = added;
    this.removed = removed;
    this.#origins = origins;
    this.#told = new Uint32Array(list.length);
  }

  /** For a list in order, with distinct addresses. Throws what the algorithm throws. */
  static *of(list: readonly Backend[], before: Lineup, parts: LineupParts): Steps<NextLineup> {
    const draft = yield* draftOf(list, before, parts);
    const tiers = yield* tiersOf(draft.list, before, parts);
    const removed = yield* removedFrom(before, draft.positions);
    const next = new NextLineup(before, draft, tiers, removed);
    yield* next.#tellLoads();
    return next;
  }

  /** Catches up with what has happened meanwhile. To be published in the same turn of the event loop. */
  takeOver(): void {
    this.lineup.picks.takeOver(this.#before.picks, this.#origins);
    for (const tier of this.lineup.tiers) if (this.#isNew(tier)) this.#tellTier(tier, tier.start, tier.end);
  }

  *#tellLoads(): Steps<void> {
    for (const tier of this.lineup.tiers) {
      if (!this.#isNew(tier)) continue;
      for (let start = tier.start; start < tier.end; start += STEP_MASK) {
        this.#tellTier(tier, start, Math.min(tier.end, start + STEP_MASK));
        yield;
      }
    }
  }

  #tellTier({ selection, start }: Tier, from: number, to: number): void {
    if (selection.onLoad === undefined) return;
    const { states } = this.lineup;
    for (let i = from; i < to; i += 1) {
      const { inFlight } = states[i] as BackendState;
      if (this.#told[i] === inFlight) continue;
      this.#told[i] = inFlight;
      selection.onLoad(i - start, inFlight);
    }
  }

  /** False for an algorithm that goes on from the list before and has been told all along. */
  #isNew({ selection }: Tier): boolean {
    return !this.#before.tiers.some((tier) => tier.selection === selection);
  }
}

/** The parts of a lineup that need no algorithm. */
interface Draft {
  readonly list: Backend[];
  readonly positions: Map<string, number>;
  readonly states: BackendState[];
  readonly origins: Int32Array;
  readonly added: BackendState[];
  readonly caps: Uint32Array | undefined;
}

function* draftOf(list: readonly Backend[], before: Lineup, parts: LineupParts): Steps<Draft> {
  const positions = new Map<string, number>();
  const states: BackendState[] = [];
  const added: BackendState[] = [];
  const origins = new Int32Array(list.length);
  const caps = new Uint32Array(list.length);
  let hasCaps = false;
  for (const [i, { address, maxConnections }] of list.entries()) {
    const origin = before.positions.get(address) ?? -1;
    const known = origin === -1 ? undefined : before.states[origin];
    const state = known ?? parts.departed(address) ?? new BackendState(address);
    if (known === undefined) added.push(state);
    positions.set(address, i);
    states.push(state);
    origins[i] = origin;
    caps[i] = maxConnections === 0 ? parts.maxConnections : maxConnections;
    hasCaps ||= caps[i] !== 0;
    if ((i & STEP_MASK) === 0) yield;
  }
  return { list: [...list], positions, states, origins, added, caps: hasCaps ? caps : undefined };
}

function* tiersOf(list: readonly Backend[], before: Lineup, parts: LineupParts): Steps<Tier[]> {
  const tiers: Tier[] = [];
  let start = 0;
  while (tiers.length === 0 || isWeighted(list[start])) {
    const priority = list[start]?.priority ?? 0;
    let end = start;
    while (isWeighted(list[end]) && list[end]?.priority === priority) end += 1;
    const known = before.tiers.find((tier) => tier.priority === priority);
    const members = list.slice(start, end);
    const isKept = known !== undefined && (yield* isSameTier(known, before, members));
    const selection = isKept ? known.selection : yield* build(members, known?.selection, parts);
    tiers.push({ priority, start, end, selection });
    start = end;
  }
  return tiers;
}

function isWeighted(backend: Backend | undefined): boolean {
  return backend !== undefined && backend.weight > 0;
}

/** Same backends in the same order: the algorithm goes on where it is. */
function* isSameTier(tier: Tier, before: Lineup, members: readonly Backend[]): Steps<boolean> {
  if (tier.end - tier.start !== members.length) return false;
  for (const [i, backend] of members.entries()) {
    if (!isSame(before.list[tier.start + i], backend)) return false;
    if ((i & STEP_MASK) === 0) yield;
  }
  return true;
}

function* build(
  members: readonly Backend[],
  previous: Selection | undefined,
  { factory, now, random }: LineupParts,
): Steps<Selection> {
  const context = { previous, now, random };
  if (factory.buildInSteps !== undefined && members.length > IN_ONE_GO) {
    return yield* factory.buildInSteps(members, previous, context);
  }
  yield;
  return factory.build(members, previous, context);
}

function* removedFrom({ list }: Lineup, positions: ReadonlyMap<string, number>): Steps<number[]> {
  const removed: number[] = [];
  for (const [i, { address }] of list.entries()) {
    if (!positions.has(address)) removed.push(i);
    if ((i & STEP_MASK) === 0) yield;
  }
  return removed;
}
