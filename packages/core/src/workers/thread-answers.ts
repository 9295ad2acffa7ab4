/**
 * What the threads of a service are asked for, put together. A thread that does not answer in time is left out.
 */
import { mergeStats, type StatsTree } from '../service/stats-tree.ts';
import { within } from './within.ts';
import type { WorkerSlot } from './worker-slot.ts';
import type { WorkerThread } from './worker-thread.ts';

/** What a thread has counted. */
export interface Counted {
  readonly stats: StatsTree;
  /** Counters of its copies of replicated state, by position of their services. */
  readonly copies: readonly (readonly [position: number, counters: StatsTree])[];
}

/** What threads have counted that have stopped: counters never go back when one takes the place of another. */
export class PastCounters {
  #stats: StatsTree = {};
  readonly #copies: Map<number, StatsTree> = new Map();

  /** A thread has stopped. Nothing is open in it, or under way. */
  add({ stats, copies }: Counted): void {
    this.#stats = mergeStats([this.#stats, stats]);
    for (const [position, counters] of copies)
      this.#copies.set(position, mergeStats([this.#copies.get(position) ?? {}, counters]));
  }

  get stats(): StatsTree {
    return this.#stats;
  }

  get copies(): Counted['copies'] {
    return [...this.#copies];
  }
}

/** How long threads may take to answer, in milliseconds. */
const ANSWER_MS = 2_000;

/** Asks one thread. Undefined when it is too late, or has failed. */
export function answerOf<T>(thread: WorkerThread, name: string): Promise<T | undefined> {
  return within(thread.call<T>(name), ANSWER_MS);
}

async function answersOf<T>(threads: readonly WorkerThread[], name: string): Promise<T[]> {
  const answers = await Promise.all(threads.map((thread) => answerOf<T>(thread, name)));
  return answers.filter((answer) => answer !== undefined) as T[];
}

/** The counters of all threads as one. */
export async function statsOf(threads: readonly WorkerThread[]): Promise<StatsTree> {
  return mergeStats(await answersOf<StatsTree>(threads, 'stats'));
}

/** What the copies of replicated state count in the threads, by position of their services. */
export async function countersOf(threads: readonly WorkerThread[]): Promise<Counted['copies']> {
  return (await answersOf<Counted['copies']>(threads, 'counters')).flat();
}

/** How many connections are open. */
export async function openConnectionsOf(threads: readonly WorkerThread[]): Promise<number> {
  const counts = await answersOf<number>(threads, 'openConnections');
  return counts.reduce((sum, count) => sum + count, 0);
}

/** How the threads of a service are doing. */
export async function workersOf(service: string, slots: readonly WorkerSlot[]): Promise<readonly StatsTree[]> {
  return Promise.all(
    slots.map(async ({ index, thread, restarts }) => {
      const process = thread === undefined ? undefined : await answerOf<StatsTree>(thread, 'process');
      return { service, index, up: thread !== undefined, restarts, ...process };
    }),
  );
}
