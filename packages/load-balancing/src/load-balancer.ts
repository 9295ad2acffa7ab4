/**
 * Chooses a backend for each request, and keeps the set of backends and their health up to date beside that.
 *
 * Joins the parts: the current snapshot is in backend-set.ts, when things happen in background.ts, how checks are run
 * in health/health-monitor.ts, in which order backends are tried in selection/, how copies in other threads follow in replication/.
 */
import { CirqueError } from '@cirque/error';
import { Backend } from './backend.ts';
import { BackendSet } from './backend-set.ts';
import type { Accept, Backends } from './backends.ts';
import type { PeriodicJob } from './background.ts';
import { BackgroundRun } from './background-run.ts';
import type { BackgroundTask } from './background-service.ts';
import type { BalancerCounters, BalancerStats } from './balancer-stats.ts';
import { boundedCall } from './bounded-call.ts';
import { DEFAULT_DISCOVERY_TIMEOUT_MS, type ServiceDiscovery } from './discovery/discovery.ts';
import { StaticDiscovery } from './discovery/static.ts';
import type { HealthCheck, HealthObserver } from './health/health-check.ts';
import { HealthMonitor } from './health/health-monitor.ts';
import {
  checkDiscovery,
  checkFrequency,
  checkHealthCheck,
  checkSelection,
  type LoadBalancerOptions,
} from './load-balancer-options.ts';
import { type Logger, silentLogger } from './logger.ts';
import { type Pick, PickHandle } from './pick.ts';
import type { AcquireOptions, OperatorState, PickOptions } from './pick-options.ts';
import type { BackendsChange, BalancerChange } from './replication/balancer-change.ts';
import { Replication } from './replication/replication.ts';
import { RoundRobin } from './selection/round-robin.ts';
import type { SelectionKey } from './selection/selection.ts';
import { realTime, type TimeSource } from './time-source.ts';

/** How many candidates `select` and `pick` look at where the caller says nothing. */
const MAX_ITERATIONS = 256;
/** Part of the frequency over which the checks of a round are spread. */
const SPREAD = 0.1;

/**
 * A set of backends, an algorithm, and their upkeep.
 *
 * `select` works at once for a balancer made by `fromAddresses`; one made from a discovery is empty until `update` or
 * `start` has run. No backends, all of them out of rotation, only weights of zero: `select` returns undefined.
 */
export class LoadBalancer implements BackgroundTask, AsyncDisposable {
  readonly #discovery: ServiceDiscovery;
  readonly #set: BackendSet;
  readonly #monitor: HealthMonitor;
  readonly #logger: Logger;
  readonly #time: TimeSource;
  readonly #replication: Replication;
  readonly #run: BackgroundRun;
  #healthCheckFrequencyMs: number | undefined;
  #updateFrequencyMs: number | undefined;
  #isChoosing = false;
  #updating: Promise<boolean> | undefined;
  #checking: Promise<void> | undefined;

  /** Check several backends at a time, spread over a tenth of the frequency. May be changed at any time. */
  parallelHealthCheck: boolean;

  /** Throws TypeError or RangeError, naming the option, for values that cannot work. */
  constructor(options: LoadBalancerOptions) {
    const {
      healthCheck,
      logger = silentLogger,
      random = Math.random,
      selection = RoundRobin,
      time = realTime,
    } = options;
    this.#discovery = checkDiscovery(options.discovery);
    this.#set = new BackendSet(checkSelection(selection));
    this.#logger = logger;
    this.#time = time;
    this.#run = new BackgroundRun(time, () => this.#monitor.release());
    this.#healthCheckFrequencyMs = checkFrequency('healthCheckFrequencyMs', options.healthCheckFrequencyMs);
    this.#updateFrequencyMs = checkFrequency('updateFrequencyMs', options.updateFrequencyMs);
    this.parallelHealthCheck = options.parallelHealthCheck ?? true;
    this.#monitor = new HealthMonitor({
      logger,
      time,
      random,
      onResult: (backend, success, threshold, cause) => {
        const flipped = this.#set.observe(backend, success, threshold);
        if (flipped) this.#replication.healthChanged(backend, success, cause);
        return flipped;
      },
    });
    this.#replication = new Replication({ set: this.#set, monitor: this.#monitor, logger });
    if (healthCheck !== undefined) this.setHealthCheck(healthCheck);
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
    balancer.#set.replace({ backends: discovery.backends });
    return balancer;
  }

  /** The backends and their states at this moment. Never changes; ask again for news. */
  get backends(): Backends {
    return this.#set.snapshot;
  }

  /** Time from the start of one round of health checks to that of the next; undefined: no further round. */
  get healthCheckFrequencyMs(): number | undefined {
    return this.#healthCheckFrequencyMs;
  }

  set healthCheckFrequencyMs(value: number | undefined) {
    this.#healthCheckFrequencyMs = checkFrequency('healthCheckFrequencyMs', value);
  }

  /** Time from the start of one discovery to that of the next; undefined: no further one. */
  get updateFrequencyMs(): number | undefined {
    return this.#updateFrequencyMs;
  }

  set updateFrequencyMs(value: number | undefined) {
    this.#updateFrequencyMs = checkFrequency('updateFrequencyMs', value);
  }

  /** Sets the check that the next round will use. States of health stay as they are. */
  setHealthCheck(check: HealthCheck): void {
    this.#monitor.check = checkHealthCheck(check);
  }

  /** Calls the observer at each change of a backend's health from now on. Returns a function that ends it. */
  observe(observer: HealthObserver): () => void {
    return this.#monitor.observe(observer);
  }

  /**
   * The backend for this key: the first candidate of the algorithm that is in rotation. Undefined when there is none
   * among the first `maxIterations` candidates, which are distinct backends.
   */
  select(key: SelectionKey, maxIterations: number = MAX_ITERATIONS): Backend | undefined {
    if (this.#isChoosing) throw reentered();
    const { snapshot } = this.#set;
    return snapshot.take(snapshot.choose(key, maxIterations));
  }

  /**
   * As `select`, but `accept` decides on each candidate, and may take one that is not in rotation. It must not choose
   * from the same balancer; what it throws passes through.
   */
  selectWith(key: SelectionKey, maxIterations: number, accept: Accept): Backend | undefined {
    const { snapshot } = this.#set;
    return snapshot.take(this.#chooseWith(snapshot, key, maxIterations, accept));
  }

  /**
   * As `select`, for algorithms that need to know what is in use and how it went. Call `done` on the result when the
   * request has ended, in every case.
   */
  pick(key: SelectionKey, options: PickOptions = {}): Pick | undefined {
    if (this.#isChoosing) throw reentered();
    const { accept, maxIterations = MAX_ITERATIONS } = options;
    const { snapshot } = this.#set;
    const position =
      accept === undefined
        ? snapshot.choose(key, maxIterations)
        : this.#chooseWith(snapshot, key, maxIterations, accept);
    const backend = snapshot.take(position);
    return backend === undefined ? undefined : new PickHandle(backend, position, snapshot.selection);
  }

  /**
   * As `pick`, but when everybody who would do is at his cap it waits for a release, in order of arrival (`queue`).
   * Throws or rejects with a CirqueError of type `ConnectNoRoute` and source Upstream when there is nobody, the queue is full or
   * the wait takes too long.
   */
  acquire(key: SelectionKey, options: AcquireOptions = {}): Pick | Promise<Pick> {
    const pick = this.pick(key, options);
    if (pick !== undefined) return pick;
    throw CirqueError.upstream('ConnectNoRoute', 'no backend in rotation');
  }

  /**
   * What an operator has decided about a backend, whatever its health and the discovery say. Lasts until it is undone or
   * the backend leaves the set. Returns false when there is no such backend.
   */
  setState(address: string | Backend, state: OperatorState): boolean {
    return this.setEnabled(address, state === 'active');
  }

  /** What `setState` has said; `active` where it has said nothing. Undefined when there is no such backend. */
  stateOf(address: string | Backend): OperatorState | undefined {
    const canonical = typeof address === 'string' ? Backend.parse(address).address : address.address;
    const backend = this.#set.snapshot.find(canonical);
    if (backend === undefined) return undefined;
    return this.#set.snapshot.isEnabled(backend) ? 'active' : 'maintenance';
  }

  /**
   * Takes a backend out of rotation, or back in, whatever its health and the discovery say. Lasts until it is undone
   * or the backend leaves the set. Returns false when there is no such backend.
   */
  setEnabled(address: string | Backend, enabled: boolean): boolean {
    const canonical = typeof address === 'string' ? Backend.parse(address).address : address.address;
    const isKnown = this.#set.setEnabled(canonical, enabled);
    if (isKnown) this.#replication.switched(canonical, enabled);
    return isKnown;
  }

  /**
   * Asks the discovery for the present set and takes it over; resolves with true when anything has changed. Backends
   * that stay keep their health. Rejects with what went wrong, and keeps the set, when the discovery fails, takes too
   * long or gives something unusable. A call while another is under way shares its result.
   */
  update(signal?: AbortSignal): Promise<boolean> {
    this.#updating ??= this.#discover(signal).finally(() => {
      this.#updating = undefined;
    });
    return this.#updating;
  }

  /** Checks every backend once, now. Resolves when all results are in; a call while a round is under way shares it. */
  runHealthCheck(signal?: AbortSignal): Promise<void> {
    return this.#checkHealth(0, signal);
  }

  /**
   * The background work: an update and a round of health checks, then `ready`, then both at their frequencies, until the
   * signal aborts. Ends at once when there are no frequencies. A failing discovery is logged and tried again when it is next due.
   * Rejects when it is running already.
   */
  async start(signal: AbortSignal, ready: () => void = () => undefined): Promise<void> {
    await this.#run.start(this.#jobs(), signal, ready);
  }

  /** Ends the background work, if it is running, and lets the health check close its connections. `select` still works. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#run.end();
  }

  /**
   * The list and all states as plain data, for `apply` of a balancer in another thread (`Replicated` of @cirque/core).
   * Of `ext` there is what structured cloning passes on.
   */
  snapshot(): BackendsChange {
    return this.#set.describe();
  }

  /**
   * Takes over the state of another balancer: what its `snapshot` gave, then each change that its `onChange` told, in order. All of it
   * or, when it throws, nothing.
   *
   * A copy needs no `start`. Its own backends stay the objects they are, with their data, where address and weight are the
   * same, and its algorithm goes on where it was if the list is. Observers of health are told of each flip; the check's
   * `healthStatusChange` and the log are left to the balancer that did the check. Single changes of backends that are not here
   * do nothing. Throws TypeError or RangeError, naming what is wrong, for anything that is not such a change.
   */
  apply(change: BalancerChange): void {
    this.#replication.apply(change);
  }

  /**
   * Calls the listener with each change from now on: a new list (or new switches of the discovery), a flip of health, a switch.
   * Returns a function that ends it. What the listener throws is logged.
   */
  onChange(listener: (change: BalancerChange) => void): () => void {
    return this.#replication.onChange(listener);
  }

  /** Counters and gauges as plain data. Takes time in proportion to the number of backends. */
  stats(): BalancerStats {
    return this.#set.stats();
  }

  /** What a copy in another thread has counted by itself: its picks. They are to be added to the original's `stats`. */
  counters(): BalancerCounters {
    const { picks, byAddress } = this.#set.stats();
    const counted = Object.entries(byAddress).map(([address, one]) => [address, { picks: one.picks }] as const);
    return { picks, byAddress: Object.fromEntries(counted) };
  }

  #jobs(): PeriodicJob[] {
    let isFirstRound = true;
    return [
      { frequencyMs: () => this.#updateFrequencyMs, run: (signal) => this.#updateOrLog(signal) },
      {
        frequencyMs: () => this.#healthCheckFrequencyMs,
        run: (signal) => {
          const spreadMs = isFirstRound ? 0 : SPREAD * (this.#healthCheckFrequencyMs ?? 0);
          isFirstRound = false;
          return this.#checkHealth(spreadMs, signal);
        },
      },
    ];
  }

  async #updateOrLog(signal: AbortSignal): Promise<void> {
    try {
      await this.update(signal);
    } catch (error) {
      if (!signal.aborted)
        this.#logger.error(
          { err: error, backends: this.#set.snapshot.size },
          'discovery failed, backends stay as they are',
        );
    }
  }

  async #discover(signal: AbortSignal | undefined): Promise<boolean> {
    const timeoutMs = this.#discovery.timeoutMs ?? DEFAULT_DISCOVERY_TIMEOUT_MS;
    const found = await boundedCall((inner) => this.#discovery.discover(inner), {
      timeoutMs,
      signal,
      wheel: this.#time.wheel,
      onTimeout: () => CirqueError.internal('DiscoveryTimedout', `no answer within ${timeoutMs} ms`),
    });
    const { changed, removed } = this.#set.replace(found);
    for (const backend of removed) this.#monitor.forget(backend);
    if (!changed) return false;
    this.#replication.listChanged();
    this.#logger.info({ backends: this.#set.snapshot.size, removed: removed.length }, 'backends changed');
    return true;
  }

  #checkHealth(spreadMs: number, signal: AbortSignal | undefined): Promise<void> {
    const round = { parallel: this.parallelHealthCheck, spreadMs, signal };
    this.#checking ??= this.#monitor.runRound([...this.#set.snapshot], round).finally(() => {
      this.#checking = undefined;
    });
    return this.#checking;
  }

  #chooseWith(snapshot: Backends, key: SelectionKey, maxIterations: number, accept: Accept): number {
    if (this.#isChoosing) throw reentered();
    this.#isChoosing = true;
    try {
      return snapshot.chooseWith(key, maxIterations, accept);
    } finally {
      this.#isChoosing = false;
    }
  }
}

function reentered(): CirqueError {
  return CirqueError.internal('InternalError', 'accept must not choose from the balancer it is deciding for');
}
