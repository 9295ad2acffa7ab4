/**
 * The health of one backend: a state, and how many results in a row have contradicted it.
 */

/** Healthy until proved otherwise. */
export class Health {
  #healthy = true;
  #contradictions = 0;

  get healthy(): boolean {
    return this.#healthy;
  }

  /**
   * Takes in the result of a check. The state flips when `threshold` results in a row have contradicted it; one that
   * agrees with it begins the count anew. Returns true when it flipped.
   */
  observe(success: boolean, threshold: number): boolean {
    if (success === this.#healthy) {
      this.#contradictions = 0;
      return false;
    }
    this.#contradictions += 1;
    if (this.#contradictions < threshold) return false;
    this.#healthy = success;
    this.#contradictions = 0;
    return true;
  }
}
