/**
 * How much of the machine others have used meanwhile: times that were measured then say little about a proxy.
 */
import { readFileSync } from 'node:fs';
import { processTree, readCoreBusyTicks } from '../cpu-time.ts';
import type { Cores } from '../machine.ts';
import { parseProcessStat, TICK_MS } from '../proc-files.ts';

/** More than this share of the two cores in foreign hands, and times decide nothing. */
const MOST_FOREIGN_SHARE = 0.08;

export function isDisturbed(foreignShare: number): boolean {
  return foreignShare > MOST_FOREIGN_SHARE;
}

/** Ticks of this process and of all that it has started, those that have ended included. */
function ownTicks(): number {
  return processTree(process.pid).reduce((sum, pid) => {
    const { userTicks, systemTicks, waitedTicks } = parseProcessStat(readFileSync(`/proc/${pid}/stat`, 'utf8'));
    return sum + userTicks + systemTicks + waitedTicks;
  }, 0);
}

/** The share of the time of all cores that was neither idle nor our own. */
export function shareOfOthers(busyTicks: number, own: number, coreMs: number): number {
  return Math.min(1, Math.max(0, ((busyTicks - own) * TICK_MS) / coreMs));
}

export class Disturbance {
  readonly #cores: readonly number[];
  readonly #startedAt = performance.now();
  readonly #busyBefore: number;
  readonly #ownBefore: number;

  /** Begins to look. */
  constructor({ load, proxy }: Cores) {
    this.#cores = [load, proxy];
    this.#busyBefore = this.#busyTicks();
    this.#ownBefore = ownTicks();
  }

  /** The share of both cores that others have used since then, from 0 to 1. */
  foreignShare(): number {
    const coreMs = (performance.now() - this.#startedAt) * this.#cores.length;
    return shareOfOthers(this.#busyTicks() - this.#busyBefore, ownTicks() - this.#ownBefore, coreMs);
  }

  #busyTicks(): number {
    return this.#cores.reduce((sum, core) => sum + readCoreBusyTicks(core), 0);
  }
}
