/**
 * Finds what a test forgot to close.
 *
 * Compares what keeps the process alive (sockets, servers, timers, requests) and who listens, before and after.
 * Handles that were unref'd are not seen: Node does not report them.
 */
import { EventEmitter, getEventListeners } from 'node:events';

export interface LeakCheckOptions {
  /** Emitters and signals whose listeners are counted besides those of `process`. */
  watch?: readonly (EventEmitter | EventTarget)[];
  /** Kinds of resources that do not matter, as `process.getActiveResourcesInfo` names them. */
  ignore?: readonly string[];
}

type Counts = Map<string, number>;

/** Events asked of an EventTarget, which cannot list its own. */
const TARGET_EVENTS = ['abort', 'close', 'error', 'message'];

export class LeakCheck {
  readonly #options: LeakCheckOptions;
  readonly #before: Counts;

  private constructor(options: LeakCheckOptions) {
    this.#options = options;
    this.#before = count(options);
  }

  /** Takes the picture to compare with; in `beforeEach`, or as the first line of a test. */
  static start(options: LeakCheckOptions = {}): LeakCheck {
    return new LeakCheck(options);
  }

  /** What there is more of than at the start, as `2 more TCPSocketWrap`. Empty when all is well. */
  leaks(): string[] {
    const result: string[] = [];
    for (const [name, now] of count(this.#options)) {
      const more = now - (this.#before.get(name) ?? 0);
      if (more > 0) result.push(`${more} more ${name}`);
    }
    return result;
  }

  /** Rejects, naming them, if there are leaks still after `timeoutMs`: closing takes some turns. Default 1 s. */
  async assertClean(timeoutMs = 1_000): Promise<void> {
    const end = performance.now() + timeoutMs;
    for (let found = this.leaks(); found.length > 0; found = this.leaks()) {
      if (performance.now() >= end) throw new Error(`left behind: ${found.join(', ')}`);
      // An immediate is gone by the time it runs, so the waiting itself is never counted.
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
}

function count(options: LeakCheckOptions): Counts {
  const counts: Counts = new Map();
  for (const name of process.getActiveResourcesInfo()) {
    if (!options.ignore?.includes(name)) counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  countListeners(counts, process, 'process');
  for (const [i, target] of (options.watch ?? []).entries()) countListeners(counts, target, `watched target ${i}`);
  return counts;
}

function countListeners(counts: Counts, target: EventEmitter | EventTarget, label: string): void {
  const events = target instanceof EventEmitter ? target.eventNames() : TARGET_EVENTS;
  for (const event of events) {
    const listeners =
      target instanceof EventEmitter ? target.listeners(event) : getEventListeners(target, String(event));
    counts.set(`listeners for ${String(event)} of ${label}`, listeners.length);
  }
}
