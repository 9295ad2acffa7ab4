/**
 * Chooses a backend for each request, and keeps the set of backends and their health up to date beside that.
 *
 * The face of the parts that balancer-parts.ts joins: choosing is in chooser.ts, the current snapshot in backend-set.ts, the work in
 * the background in balancer-upkeep.ts, in which order backends are tried in selection/, how copies in other threads follow in replication/.
 */
import { Backend } from './backend.ts';
import type { BackendSet } from './backend-set.ts';
import type { Accept, Backends } from './backends.ts';
import type { BackgroundTask } from './background-service.ts';
import { type BalancerParts, joinParts } from './balancer-parts.ts';
import { type BalancerCounters, type BalancerStats, balancerCounters, balancerStats } from './balancer-stats.ts';
import { type Chooser, MAX_ITERATIONS } from './chooser.ts';
import { StaticDiscovery } from './discovery/static.ts';
import type { HealthCheck, HealthObserver } from './health/health-check.ts';
import { checkHealthCheck, checkState, type LoadBalancerOptions } from './load-balancer-options.ts';
import type { Pick } from './pick.ts';
import type { AcquireOptions, OperatorState, PickOptions } from './pick-options.ts';
import type { BackendsChange, BalancerChange } from './replication/balancer-change.ts';
import { runAtOnce } from './run-in-slices.ts';
import type { SelectionKey } from './selection/selection.ts';

const NO_OPTIONS: AcquireOptions = {};

/**
 * A set of backends, an algorithm, and their upkeep.
 *
 * `select` works at once for a balancer made by `fromAddresses`; one made from a discovery is empty until `update` or
 * `start` has run. No backends, all of them out of rotation, only weights of zero: `select` returns undefined.
 */
export class LoadBalancer implements BackgroundTask, AsyncDisposable {
  readonly #parts: BalancerParts;
  readonly #set: BackendSet;
  readonly #chooser: Chooser;

  /** Throws TypeError or RangeError, naming the option, for values that cannot work. */
  constructor(options: LoadBalancerOptions) {
    this.#parts = joinParts(options);
    this.#set = this.#parts.set;
    this.#chooser = this.#parts.chooser;
    this.healthCheckFrequencyMs = options.healthCheckFrequencyMs;
    this.updateFrequencyMs = options.updateFrequencyMs;
    this.parallelHealthCheck = options.parallelHealthCheck ?? true;
    if (options.healthCheck !== undefined) this.setHealthCheck(options.healthCheck);
  }

  /**
   * A balancer over a fixed list, ready for use. Host names stay names: whoever connects resolves them (to have them
   * resolved beforehand, use `StaticDiscovery` and await `update`).
   *
   * Throws TypeError for a bad address, naming its position and the accepted forms.
   */
  static fromAddresses(
    addresses: Iterable<string | Backend>,
    options: Omit<LoadBalancerOptions, 'discovery'> = {},
  ): LoadBalancer {
    const discovery = new StaticDiscovery(addresses, { resolve: 'never' });
    const balancer = new LoadBalancer({ ...options, discovery });
    runAtOnce(balancer.#set.replace({ backends: discovery.backends }));
    return balancer;
  }

  /** The backends and their states at this moment. Never changes; ask again for news. */
  get backends(): Backends {
    return this.#set.snapshot;
  }

  /** Time from the start of one round of health checks to that of the next; undefined: no further round. */
  get healthCheckFrequencyMs(): number | undefined {
    return this.#parts.upkeep.healthCheckFrequencyMs;
  }

  set healthCheckFrequencyMs(value: number | undefined) {
    this.#parts.upkeep.healthCheckFrequencyMs = value;
  }

  /** Time from the start of one discovery to that of the next; undefined: no further one. */
  get updateFrequencyMs(): number | undefined {
    return this.#parts.upkeep.updateFrequencyMs;
  }

  set updateFrequencyMs(value: number | undefined) {
    this.#parts.upkeep.updateFrequencyMs = value;
  }

  /** Check several backends at a time, spread over a tenth of the frequency. May be changed at any time. */
  get parallelHealthCheck(): boolean {
    return this.#parts.upkeep.isParallel;
  }

  set parallelHealthCheck(value: boolean) {
    this.#parts.upkeep.isParallel = value;
  }

  /** Sets the check that the next round will use. States of health stay as they are. */
  setHealthCheck(check: HealthCheck): void {
    this.#parts.monitor.check = checkHealthCheck(check);
  }

  /** Calls the observer at each change of a backend's health from now on. Returns a function that ends it. */
  observe(observer: HealthObserver): () => void {
    return this.#parts.monitor.observe(observer);
  }

  /**
   * The backend for this key: the first candidate of the algorithm that is in rotation. Undefined when there is none
   * among the first `maxIterations` candidates of each priority, which are distinct backends. Backends of the next priority
   * have their turn when none of those before them was in rotation. Counts nothing as being in use, and heeds no `maxConnections`.
   */
  select(key: SelectionKey, maxIterations: number = MAX_ITERATIONS): Backend | undefined {
    return this.#chooser.select(key, maxIterations);
  }

  /**
   * As `select`, but `accept` decides on each candidate, and may take one that is not in rotation. It must not choose
   * from the same balancer; what it throws passes through.
   */
  selectWith(key: SelectionKey, maxIterations: number, accept: Accept): Backend | undefined {
    return this.#chooser.selectWith(key, maxIterations, accept);
  }

  /**
   * As `select`, for algorithms that need to know what is in use and how it went, for passive health, and for backends that may
   * have only so much in use: who is at his `maxConnections` is not taken. Call `done` on the result when the
   * request has ended, in every case.
   */
  pick(key: SelectionKey, options: PickOptions = NO_OPTIONS): Pick | undefined {
    return this.#chooser.pick(key, options);
  }

  /**
   * As `pick`, but when everybody who would do is at his cap it waits for a release, in order of arrival (`queue`).
   * Throws or rejects with a CirqueError of type `ConnectNoRoute` and source Upstream when there is nobody, the queue is full or
   * the wait takes too long; with the signal's reason when that aborts the waiting.
   */
  acquire(key: SelectionKey, options: AcquireOptions = NO_OPTIONS): Pick | Promise<Pick> {
    return this.#chooser.acquire(key, options);
  }

  /**
   * What an operator has decided about a backend, whatever its health and the discovery say. Lasts until it is undone or
   * the backend leaves the set. Returns false when there is no such backend.
   */
  setState(address: string | Backend, state: OperatorState): boolean {
    const canonical = canonicalOf(address);
    const isKnown = this.#set.setState(canonical, checkState(state));
    if (isKnown) this.#parts.replication.stateChanged(canonical, state);
    return isKnown;
  }

  /** What `setState` has said; `active` where it has said nothing. Undefined when there is no such backend. */
  stateOf(address: string | Backend): OperatorState | undefined {
    return this.#set.stateOf(canonicalOf(address))?.operator;
  }

  /** `setState` with `active` or `maintenance`. */
  setEnabled(address: string | Backend, enabled: boolean): boolean {
    return this.setState(address, enabled ? 'active' : 'maintenance');
  }

  /**
   * Asks the discovery for the present set and takes it over; resolves with true when anything has changed. Backends
   * that stay keep their health. Rejects with what went wrong, and keeps the set, when the discovery fails, takes too
   * long or gives something unusable. A call while another is under way shares its result.
   *
   * A set of more than 2,000 is taken over in slices of some milliseconds, with the event loop running in between; until it is
   * complete, the one before is at work.
   */
  update(signal?: AbortSignal): Promise<boolean> {
    return this.#parts.upkeep.update(signal);
  }

  /** Checks every backend once, now. Resolves when all results are in; a call while a round is under way shares it. */
  runHealthCheck(signal?: AbortSignal): Promise<void> {
    return this.#parts.upkeep.checkHealth(0, signal);
  }

  /**
   * The background work: an update and a round of health checks, then `ready`, then both at their frequencies, until the
   * signal aborts. Ends at once when there are no frequencies and the discovery does not `watch`. A failing discovery is logged and
   * tried again after a second, then after two and so on up to 30, or when it is next due, if that is earlier.
   * Rejects when it is running already.
   */
  async start(signal: AbortSignal, ready: () => void = () => undefined): Promise<void> {
    const { run, upkeep } = this.#parts;
    await run.start(upkeep.jobs(), signal, ready);
  }

  /** Ends the background work, if it is running, and lets the health check close its connections. `select` still works. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#parts.passive?.close();
    // Nobody would end an ejection any more.
    for (const { address } of this.#set.snapshot.lineup.states) this.#set.setEjected(address, false);
    await this.#parts.run.end();
  }

  /**
   * The list and all states as plain data, for `apply` of a balancer in another thread (`Replicated` of @cirque/core).
   * Of `ext` there is what structured cloning passes on.
   */
  snapshot(): BackendsChange {
    return this.#parts.replication.describe();
  }

  /**
   * Takes over the state of another balancer: what its `snapshot` gave, then each change that its `onChange` told, in order. All of it
   * or, when it throws, nothing.
   *
   * A copy needs no `start`. Its own backends stay the objects they are, with their data, where their properties are the
   * same, and its algorithm goes on where it was if the list is. Observers of health are told of each flip; the check's
   * `healthStatusChange` and the log are left to the balancer that did the check. Single changes of backends that are not here
   * do nothing. Throws TypeError or RangeError, naming what is wrong, for anything that is not such a change.
   *
   * A list of more than 2,000 that is not the first is taken over in slices, as by `update`, and changes that follow wait for it
   * (`applied`); what is wrong with its entries is logged then and changes nothing.
   */
  apply(change: BalancerChange): void {
    this.#parts.replication.apply(change);
  }

  /** Resolves when all lists that are being taken over, in slices, are in place. */
  applied(): Promise<void> {
    return this.#parts.lists.whenDone();
  }

  /**
   * Calls the listener with each change from now on: a new list (or new switches of the discovery), a flip of health, a state set
   * by an operator. Returns a function that ends it. What the listener throws is logged.
   */
  onChange(listener: (change: BalancerChange) => void): () => void {
    return this.#parts.replication.onChange(listener);
  }

  /**
   * Counters and gauges as plain data. Made in one go, in time that is proportional to the number of backends: for 100,000 of
   * them 25 ms and more, in which the thread does nothing else.
   */
  stats(): BalancerStats {
    return balancerStats(this.#parts);
  }

  /** What a copy in another thread has counted by itself. To be added to the original's `stats`. */
  counters(): BalancerCounters {
    return balancerCounters(this.stats());
  }
}

function canonicalOf(address: string | Backend): string {
  return typeof address === 'string' ? Backend.parse(address).address : address.address;
}
