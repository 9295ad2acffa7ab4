/**
 * What a soak has found: plain data, written as JSON, read by the tables and by the end-to-end tests.
 */
import type { Machine } from '../machine.ts';
import { isDisturbed } from './disturbance.ts';
import { type Figure, isKept, printBound, printValue } from './figure.ts';
import type { SoakOptions } from './soak-options.ts';

/** One contestant in one scene. */
export interface Performance {
  readonly contestant: string;
  readonly title: string;
  readonly seconds: number;
  /** What others have used of the two cores meanwhile, from 0 to 1. */
  readonly foreignShare: number;
  readonly figures: readonly Figure[];
  /** A sentence for each promise that was not kept. Only Cirque has promised anything. */
  readonly broken: readonly string[];
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

/** A sentence for each figure out of bounds; times count only where the machine was not disturbed. */
export function brokenPromises(figures: readonly Figure[], foreignShare: number): string[] {
  return figures
    .filter((one) => !isKept(one) && !(one.timed && isDisturbed(foreignShare)))
    .map(({ name, bound = {}, note = '', ...value }) => {
      const sentence = `${name} is ${printValue(value)}, promised ${printBound(bound)}`;
      return note === '' ? sentence : `${sentence}: ${note}`;
    });
}

/** True when everything was played and all promises are kept. */
export function isGood({ scenes }: SoakResult): boolean {
  return scenes.every(({ performances }) =>
    performances.every(({ failed, broken }) => failed === undefined && broken.length === 0),
  );
}
