/**
 * One test of the soak: what is done to a proxy, and which figures come out.
 */
import type { Figure } from './figure.ts';
import type { Lab } from './lab.ts';

export interface Scene {
  readonly name: string;
  readonly title: string;
  /** What each contestant does in it, as the measurements have shown; printed under its table. */
  readonly remarks?: readonly string[];
  /** Throws only when the scene could not be played. */
  play(lab: Lab): Promise<readonly Figure[]>;
}
