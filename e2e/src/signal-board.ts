/**
 * Waiting for a state instead of sleeping: whoever changes something calls `changed()`, whoever waits gives a condition.
 * Conditions are looked at after every change, so a wait ends in the turn in which it comes true.
 */

interface Waiter {
  readonly condition: () => boolean;
  readonly resolve: () => void;
}

export class SignalBoard {
  #waiters = new Set<Waiter>();

  /** Something happened: look at every condition again. */
  changed(): void {
    for (const waiter of this.#waiters) {
      if (!waiter.condition()) continue;
      this.#waiters.delete(waiter);
      waiter.resolve();
    }
  }

  /** Resolves once `condition` holds; rejects after `timeoutMs` with `what` and whatever `describe` says. */
  until(condition: () => boolean, what: string, timeoutMs: number, describe: () => string): Promise<void> {
    if (condition()) return Promise.resolve();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const waiter: Waiter = { condition, resolve };
    this.#waiters.add(waiter);
    const timer = setTimeout(() => {
      this.#waiters.delete(waiter);
      reject(new Error(`waited ${timeoutMs} ms in vain for ${what}\n${describe()}`));
    }, timeoutMs);
    return promise.finally(() => clearTimeout(timer));
  }
}
