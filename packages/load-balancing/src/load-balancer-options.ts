/**
 * What a balancer is made from: the options, their defaults and their checks.
 */
import { MAX_CONNECTIONS } from './backend.ts';
import type { ServiceDiscovery } from './discovery/discovery.ts';
import type { HealthCheck } from './health/health-check.ts';
import type { Logger } from './logger.ts';
import { integerOption, shareOption } from './number-option.ts';
import type { PassiveHealthOptions } from './passive/passive-health-options.ts';
import type { OperatorState } from './pick-options.ts';
import type { SelectionFactory } from './selection/selection.ts';
import type { TimeSource } from './time-source.ts';

/** The queue of `acquire`. */
export interface QueueOptions {
  /** How many may wait. Default 0: nobody. */
  readonly size?: number | undefined;
  /** How long. Default 5,000. */
  readonly timeoutMs?: number | undefined;
}

/** Everything but `discovery` has a default. */
export interface LoadBalancerOptions {
  /** Where the backends come from. */
  readonly discovery: ServiceDiscovery;
  /** The algorithm. Default `RoundRobin`. */
  readonly selection?: SelectionFactory | undefined;
  /** Default none: every backend counts as healthy. */
  readonly healthCheck?: HealthCheck | undefined;
  /** Time from the start of one round of health checks to that of the next. Default none: one round, at the start. */
  readonly healthCheckFrequencyMs?: number | undefined;
  /** Time from the start of one discovery to that of the next. Default none: one discovery, at the start. */
  readonly updateFrequencyMs?: number | undefined;
  /**
   * Default true: up to 64 checks at a time, each begun after a random delay of up to a tenth of the frequency (without
   * delay in the first round). False: one after the other.
   */
  readonly parallelHealthCheck?: boolean | undefined;
  /** How many picks may be under way per backend; its own `maxConnections` goes before it. Default 0: any number. */
  readonly maxConnections?: number | undefined;
  /** How `acquire` waits while everybody is at his cap. Default: it does not. */
  readonly queue?: QueueOptions | undefined;
  /**
   * Time in which a backend that has become healthy or active, or has joined a list that was not empty, grows from a
   * tenth of its share to the whole. Default 0: it has its share at once.
   */
  readonly slowStartMs?: number | undefined;
  /**
   * Share of the enabled backends of one priority, from 0 to 1, that must be well. With fewer, health and ejection are ignored among
   * them: better all of them than a few that break down under the load of all. Default 0: never.
   */
  readonly panicThreshold?: number | undefined;
  /** Backends whose requests fail are taken out for a while. Default: they are not. Counts what `done` is told. */
  readonly passiveHealth?: PassiveHealthOptions | undefined;
  /** Default silent. */
  readonly logger?: Logger | undefined;
  /** For tests: the clock and the timers. */
  readonly time?: TimeSource | undefined;
  /** For tests: numbers from 0 up to but not including 1. Default `Math.random`. */
  readonly random?: (() => number) | undefined;
}

/** The numbers among the options, with every default filled in. */
export interface BalancerNumbers {
  readonly maxConnections: number;
  readonly slowStartMs: number;
  readonly panicThreshold: number;
  readonly queue: { readonly size: number; readonly timeoutMs: number };
}

/** Fills in the defaults. Throws RangeError naming the option. */
export function resolveNumbers(options: LoadBalancerOptions): BalancerNumbers {
  return {
    maxConnections: integerOption('maxConnections', options.maxConnections, 0, 0, MAX_CONNECTIONS),
    slowStartMs: integerOption('slowStartMs', options.slowStartMs, 0, 0),
    panicThreshold: shareOption('panicThreshold', options.panicThreshold, 0),
    queue: {
      size: integerOption('queue.size', options.queue?.size, 0, 0),
      timeoutMs: integerOption('queue.timeoutMs', options.queue?.timeoutMs, 5_000, 1),
    },
  };
}

/** The value, if it is a time or undefined. Throws RangeError naming the option. */
export function checkFrequency(option: string, value: number | undefined): number | undefined {
  if (value === undefined || (Number.isFinite(value) && value >= 1)) return value;
  throw new RangeError(
    `${option} must be a number of milliseconds from 1, or undefined for never, got ${String(value)}`,
  );
}

/** Throws TypeError unless it looks like a discovery. */
export function checkDiscovery(discovery: ServiceDiscovery): ServiceDiscovery {
  if (typeof discovery?.discover === 'function') return discovery;
  throw new TypeError(
    'discovery must be an object with a method discover(signal); for a fixed list see LoadBalancer.fromAddresses',
  );
}

/** Throws TypeError unless it looks like a factory. */
export function checkSelection(selection: SelectionFactory): SelectionFactory {
  if (typeof selection?.build === 'function') return selection;
  throw new TypeError(
    'selection must have a method build(backends, previous): RoundRobin, Random, FnvHash, Consistent or your own',
  );
}

/** Throws TypeError unless it is one of the three. */
export function checkState(state: OperatorState): OperatorState {
  if (state === 'active' || state === 'draining' || state === 'maintenance') return state;
  throw new TypeError(`state must be 'active', 'draining' or 'maintenance', got ${String(state)}`);
}

/** Throws TypeError unless it looks like a health check. */
export function checkHealthCheck(check: HealthCheck): HealthCheck {
  if (typeof check?.check === 'function' && typeof check.healthThreshold === 'function') return check;
  throw new TypeError('a health check must have the methods check(backend, signal) and healthThreshold(success)');
}
