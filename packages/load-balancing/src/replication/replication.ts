/**
 * Tells the copies of a balancer what changes, and lets a balancer be such a copy.
 *
 * Changes are told after the snapshot that shows them has been published, in the order in which they happened. How they travel
 * from one thread to another is the business of whoever listens.
 */
import type { Backend } from '../backend.ts';
import type { BackendSet } from '../backend-set.ts';
import type { HealthMonitor } from '../health/health-monitor.ts';
import type { Logger } from '../logger.ts';
import { type BackendsChange, type BalancerChange, checkChange } from './balancer-change.ts';

/** Told of each change. */
export type ChangeListener = (change: BalancerChange) => void;

/** The parts of a balancer that it works on. */
export interface ReplicationParts {
  readonly set: BackendSet;
  readonly monitor: HealthMonitor;
  readonly logger: Logger;
}

/** Nothing is put together while nobody listens. */
export class Replication {
  readonly #parts: ReplicationParts;
  readonly #listeners = new Set<ChangeListener>();

  constructor(parts: ReplicationParts) {
    this.#parts = parts;
  }

  /** Adds a listener and returns what removes it. */
  onChange(listener: ChangeListener): () => void {
    // Wrapped, so that one function added twice is told twice and removed one at a time.
    const entry: ChangeListener = (change) => listener(change);
    this.#listeners.add(entry);
    return () => {
      this.#listeners.delete(entry);
    };
  }

  /** There is a new list, or the discovery has turned switches. */
  listChanged(): void {
    this.#tell(() => this.#parts.set.describe());
  }

  /** A health check has decided. `cause`: why it failed. */
  healthChanged({ address }: Backend, healthy: boolean, cause: unknown): void {
    this.#tell(() => {
      if (healthy) return { kind: 'health', address, healthy };
      return { kind: 'health', address, healthy, reason: cause instanceof Error ? cause.message : String(cause) };
    });
  }

  /** An operator has decided. */
  switched(address: string, enabled: boolean): void {
    this.#tell(() => ({ kind: 'switch', address, enabled }));
  }

  /** Takes over a change of another balancer: all of it, or nothing when it throws. */
  apply(change: BalancerChange): void {
    const checked = checkChange(change);
    if (checked.kind === 'backends') this.#applyList(checked);
    else if (checked.kind === 'switch') this.#applySwitch(checked.address, checked.enabled);
    else this.#applyHealth(checked.address, checked.healthy, checked.reason);
  }

  #applyList(change: BackendsChange): void {
    const { monitor, set } = this.#parts;
    const { flipped, removed } = set.copy(change);
    this.#tell(() => change);
    for (const backend of removed) monitor.forget(backend);
    for (const backend of flipped) {
      monitor.announce({ backend, healthy: set.snapshot.isHealthy(backend), cause: undefined });
    }
  }

  #applyHealth(address: string, healthy: boolean, reason: string | undefined): void {
    const backend = this.#parts.set.become(address, healthy);
    if (backend === undefined) return;
    const cause = reason === undefined ? undefined : new Error(reason);
    this.#tell(() => ({ kind: 'health', address, healthy, ...(reason === undefined ? {} : { reason }) }));
    this.#parts.monitor.announce({ backend, healthy, cause });
  }

  #applySwitch(address: string, enabled: boolean): void {
    if (this.#parts.set.setEnabled(address, enabled)) this.switched(address, enabled);
  }

  #tell(make: () => BalancerChange): void {
    if (this.#listeners.size === 0) return;
    const change = make();
    for (const listener of this.#listeners) {
      try {
        listener(change);
      } catch (error) {
        this.#parts.logger.error({ err: error, change: change.kind }, 'listener of balancer changes failed');
      }
    }
  }
}
