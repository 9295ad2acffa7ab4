/**
 * The work beside choosing: takes lists from the discovery, and runs the rounds of health checks.
 *
 * Says what is done and when it is due; background.ts waits for it, list-changes.ts puts lists in order.
 */
import { CirqueError } from '@cirque/error';
import type { Backend } from './backend.ts';
import type { BackendSet, SetChange } from './backend-set.ts';
import type { PeriodicJob } from './background.ts';
import { boundedCall } from './bounded-call.ts';
import { DEFAULT_DISCOVERY_TIMEOUT_MS, type Discovered, type ServiceDiscovery } from './discovery/discovery.ts';
import type { HealthMonitor } from './health/health-monitor.ts';
import type { ListChanges } from './list-changes.ts';
import { checkFrequency } from './load-balancer-options.ts';
import type { Logger } from './logger.ts';
import { abortable, STEP_MASK, type Steps } from './run-in-slices.ts';
import type { TimeSource } from './time-source.ts';

/** Part of the frequency over which the checks of a round are spread. */
const SPREAD = 0.1;
/** A discovery that has failed is tried again after this time, after twice as long, and so on up to the second. */
const FIRST_RETRY_MS = 1_000;
const LAST_RETRY_MS = 30_000;

/** What the upkeep works on. */
export interface UpkeepParts {
  readonly discovery: ServiceDiscovery;
  readonly set: BackendSet;
  readonly lists: ListChanges;
  readonly monitor: HealthMonitor;
  readonly logger: Logger;
  readonly time: TimeSource;
  /** A new list, or new switches, are out. */
  listChanged(): Steps<void>;
  /** A backend has left the set. */
  left(backend: Backend): void;
}

/** Of one balancer. */
export class BalancerUpkeep {
  readonly #parts: UpkeepParts;
  #healthCheckFrequencyMs: number | undefined;
  #updateFrequencyMs: number | undefined;
  #refreshAfterMs: number | undefined;
  /** Undefined after a success. */
  #retryMs: number | undefined;
  #updating: Promise<boolean> | undefined;
  #checking: Promise<void> | undefined;
  isParallel = true;

  constructor(parts: UpkeepParts) {
    this.#parts = parts;
  }

  get healthCheckFrequencyMs(): number | undefined {
    return this.#healthCheckFrequencyMs;
  }

  set healthCheckFrequencyMs(value: number | undefined) {
    this.#healthCheckFrequencyMs = checkFrequency('healthCheckFrequencyMs', value);
  }

  get updateFrequencyMs(): number | undefined {
    return this.#updateFrequencyMs;
  }

  set updateFrequencyMs(value: number | undefined) {
    this.#updateFrequencyMs = checkFrequency('updateFrequencyMs', value);
  }

  /** One discovery, taken over; true when it has changed anything. A call while another is under way shares its result. */
  update(signal?: AbortSignal): Promise<boolean> {
    this.#updating ??= this.#discoverOrRetry(signal).finally(() => {
      this.#updating = undefined;
    });
    return this.#updating;
  }

  /** One round of checks. A call while another is under way shares it. */
  checkHealth(spreadMs: number, signal: AbortSignal | undefined): Promise<void> {
    const { monitor, set } = this.#parts;
    this.#checking ??= monitor
      .runRound([...set.snapshot], { parallel: this.isParallel, spreadMs, signal })
      .finally(() => {
        this.#checking = undefined;
      });
    return this.#checking;
  }

  /** What is to be done again and again. */
  jobs(): PeriodicJob[] {
    const { discovery } = this.#parts;
    let isFirstRound = true;
    return [
      {
        frequencyMs: () => this.#nextUpdateMs(),
        run: (signal) => this.#updateOrLog(signal),
        ...(discovery.watch === undefined ? {} : { watch: (due, signal) => this.#watch(due, signal) }),
      },
      {
        frequencyMs: () => this.#healthCheckFrequencyMs,
        run: (signal) => {
          const spreadMs = isFirstRound ? 0 : SPREAD * (this.#healthCheckFrequencyMs ?? 0);
          isFirstRound = false;
          return this.checkHealth(spreadMs, signal);
        },
      },
    ];
  }

  /** What follows from a new list for those who keep something for each backend. */
  *followUp({ removed }: SetChange): Steps<void> {
    for (const [i, backend] of removed.entries()) {
      this.#parts.left(backend);
      if ((i & STEP_MASK) === 0) yield;
    }
  }

  #nextUpdateMs(): number | undefined {
    const usual = this.#refreshAfterMs ?? this.#updateFrequencyMs;
    return this.#retryMs === undefined ? usual : Math.min(this.#retryMs, usual ?? this.#retryMs);
  }

  #watch(due: () => void, signal: AbortSignal): void {
    try {
      this.#parts.discovery.watch?.(due, signal);
    } catch (error) {
      this.#parts.logger.error({ err: error }, 'discovery cannot watch for changes');
    }
  }

  async #updateOrLog(signal: AbortSignal): Promise<void> {
    try {
      await this.update(signal);
    } catch (error) {
      if (signal.aborted) return;
      const details = { err: error, backends: this.#parts.set.snapshot.size, retryMs: this.#nextUpdateMs() };
      this.#parts.logger.error(details, 'discovery failed, backends stay as they are');
    }
  }

  async #discoverOrRetry(signal: AbortSignal | undefined): Promise<boolean> {
    try {
      const found = await this.#discover(signal);
      const refreshAfterMs = checkFrequency('refreshAfterMs of what was discovered', found.refreshAfterMs);
      const hasChanged = await this.#take(found, signal);
      this.#retryMs = undefined;
      this.#refreshAfterMs = refreshAfterMs;
      return hasChanged;
    } catch (error) {
      this.#retryMs = Math.min(LAST_RETRY_MS, this.#retryMs === undefined ? FIRST_RETRY_MS : 2 * this.#retryMs);
      throw error;
    }
  }

  #discover(signal: AbortSignal | undefined): Promise<Discovered> {
    const { discovery, time } = this.#parts;
    const timeoutMs = discovery.timeoutMs ?? DEFAULT_DISCOVERY_TIMEOUT_MS;
    return boundedCall((inner) => discovery.discover(inner), {
      timeoutMs,
      signal,
      wheel: time.wheel,
      onTimeout: () => CirqueError.internal('DiscoveryTimedout', `no answer within ${timeoutMs} ms`),
    });
  }

  async #take({ backends, enabled }: Discovered, signal: AbortSignal | undefined): Promise<boolean> {
    // Of a list that the discovery goes on changing, what it was when it was given.
    const list = [...backends];
    return this.#parts.lists.run({
      size: Math.max(list.length, this.#parts.set.snapshot.size),
      run: () => this.#takeInSteps({ backends: list, enabled }, signal),
    });
  }

  *#takeInSteps(found: Pick<Discovered, 'backends' | 'enabled'>, signal: AbortSignal | undefined): Steps<boolean> {
    const { listChanged, logger, set } = this.#parts;
    const taken = yield* abortable(set.replace(found), signal);
    if (taken.changed) {
      yield* listChanged();
      logger.info({ backends: set.snapshot.size, removed: taken.removed.length }, 'backends changed');
      yield* this.followUp(taken);
    }
    return taken.changed;
  }
}
