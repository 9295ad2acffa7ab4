/**
 * Describes the list of a balancer and all states in it, for its copies.
 */
import type { Backend } from '../backend.ts';
import type { BackendState } from '../backend-state.ts';
import type { Lineup } from '../lineup.ts';
import { STEP_MASK, type Steps } from '../run-in-slices.ts';
import { cloneableData } from './backend-data.ts';
import type { BackendsChange, DataEntries } from './balancer-change.ts';

/** Plain data. States are those of the moment at which each backend has its turn. */
export function* describeBackends({ list, states }: Lineup): Steps<BackendsChange> {
  const description = new Description();
  for (let i = 0; i < list.length; i += 1) {
    description.add(list[i] as Backend, states[i] as BackendState);
    if ((i & STEP_MASK) === 0) yield;
  }
  return description.toChange();
}

class Description {
  readonly #addresses: string[] = [];
  readonly #weights: number[] = [];
  readonly #priorities: number[] = [];
  readonly #maxConnections: number[] = [];
  readonly #data: (readonly [address: string, entries: DataEntries])[] = [];
  readonly #unhealthy: string[] = [];
  readonly #draining: string[] = [];
  readonly #maintenance: string[] = [];
  readonly #undiscovered: string[] = [];
  #hasPriorities = false;
  #hasMaxima = false;

  add(backend: Backend, state: BackendState): void {
    const { address, maxConnections, priority, weight } = backend;
    this.#addresses.push(address);
    this.#weights.push(weight);
    this.#priorities.push(priority);
    this.#maxConnections.push(maxConnections);
    this.#hasPriorities ||= priority !== 0;
    this.#hasMaxima ||= maxConnections !== 0;
    const entries = cloneableData(backend);
    if (entries.length > 0) this.#data.push([address, entries]);
    if (!state.health.healthy) this.#unhealthy.push(address);
    if (state.operator === 'draining') this.#draining.push(address);
    if (state.operator === 'maintenance') this.#maintenance.push(address);
    if (!state.isDiscovered) this.#undiscovered.push(address);
  }

  toChange(): BackendsChange {
    return {
      kind: 'backends',
      addresses: this.#addresses,
      weights: this.#weights,
      ...(this.#hasPriorities ? { priorities: this.#priorities } : {}),
      ...(this.#hasMaxima ? { maxConnections: this.#maxConnections } : {}),
      data: this.#data,
      unhealthy: this.#unhealthy,
      draining: this.#draining,
      maintenance: this.#maintenance,
      undiscovered: this.#undiscovered,
    };
  }
}
