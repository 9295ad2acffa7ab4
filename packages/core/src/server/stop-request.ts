/**
 * How a running server is asked to stop: graceful first, fast at any time, fast after graceful.
 */

/** `graceful`: what has begun may finish. `fast`: everything is cut now. */
export type StopKind = 'graceful' | 'fast';

/** Collects requests to stop from signals, embedders and failures. */
export class StopRequest {
  readonly #first = Promise.withResolvers<StopKind>();
  readonly #fast = Promise.withResolvers<void>();
  #kind: StopKind | undefined;

  /** What was asked for so far. */
  get kind(): StopKind | undefined {
    return this.#kind;
  }

  /** Resolves with the first request. */
  get first(): Promise<StopKind> {
    return this.#first.promise;
  }

  /** Resolves when a fast stop was asked for. */
  get fast(): Promise<void> {
    return this.#fast.promise;
  }

  request(kind: StopKind): void {
    if (this.#kind !== 'fast') this.#kind = kind;
    this.#first.resolve(kind);
    if (kind === 'fast') this.#fast.resolve();
  }

  /** Asks for `kind` when `signal` is aborted, or at once when it is already. The result takes that back. */
  follow(signal: AbortSignal | undefined, kind: StopKind): () => void {
    if (signal === undefined) return () => {};
    const listener = (): void => this.request(kind);
    if (signal.aborted) listener();
    else signal.addEventListener('abort', listener, { once: true });
    return () => signal.removeEventListener('abort', listener);
  }
}
