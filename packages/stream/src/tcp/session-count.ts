/**
 * How many connections have work left to do, so that a service which stops can wait for their last phase.
 */

/** See the file's head. */
export class SessionCount {
  #count = 0;
  #whenNone: PromiseWithResolvers<void> | undefined;

  enter(): void {
    this.#count += 1;
  }

  leave(): void {
    this.#count -= 1;
    if (this.#count > 0) return;
    this.#whenNone?.resolve();
    this.#whenNone = undefined;
  }

  /** Resolves when there is none. */
  none(): Promise<void> {
    if (this.#count === 0) return Promise.resolve();
    this.#whenNone ??= Promise.withResolvers<void>();
    return this.#whenNone.promise;
  }
}
