/**
 * The health of one backend: a state, and how many results in a row have contradicted it.
 */

/** Healthy until proved otherwise. */
export class Health {
  #healthy = true;
  #contradictions = 0;

  #checks = 0;
  #failures = 0;

  get healthy(): boolean {
    return this.#healthy;
  }

  /** Results taken in. */
  get checks(): number {
    return this.#checks;
  }

  /** Those of them that were failures. */
  get failures(): number {
    return this.#failures;
  }

  /**
   * Takes in the result of a check. The state flips when `threshold` results in a row have contradicted it; one that
   * agrees with it begins the count anew. Returns true when it flipped.
   */
  observe(success: boolean, threshold: number): boolean {
    this.#checks += 1;
    if (!success) this.#failures += 1;
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

  /** Takes over a state that somebody else has found. Returns true when it is another one. */
  become(healthy: boolean): boolean {
    if (healthy === this.#healthy) return false;
    this.#healthy = healthy;
    this.#contradictions = 0;
    return true;
  }
}
