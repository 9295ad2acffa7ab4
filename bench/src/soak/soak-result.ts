/**
 * What a soak has found: plain data, written as JSON, read by the tables and by the end-to-end tests.
 */
import type { Machine } from '../machine.ts';
import { type Figure, isKept } from './figure.ts';
import type { SoakOptions } from './soak-options.ts';

/** One contestant in one scene. */
export interface Performance {
  readonly contestant: string;
  readonly title: string;
  readonly seconds: number;
  readonly figures: readonly Figure[];
  /** Why there are no figures: it is missing here, or the scene could not be played. */
  readonly skipped?: string;
  readonly failed?: string;
}

export interface SceneResult {
  readonly scene: string;
  readonly title: string;
  readonly performances: readonly Performance[];
}

export interface SoakResult {
  readonly format: 'cirque-soak-1';
  readonly startedAt: string;
  readonly machine: Machine;
  readonly versions: Readonly<Record<string, string>>;
  readonly options: SoakOptions;
  readonly scenes: readonly SceneResult[];
}

/** What Cirque has promised and not kept: figures out of bounds. */
export function brokenPromises({ contestant, figures }: Performance): readonly Figure[] {
  return contestant === 'cirque' ? figures.filter((one) => !isKept(one)) : [];
}

/** True when everything was played and all promises are kept. */
export function isGood(result: SoakResult): boolean {
  const all = result.scenes.flatMap(({ performances }) => performances);
  return all.every((one) => one.failed === undefined && brokenPromises(one).length === 0);
}
