/**
 * Makes the parts of a balancer from its options, and tells each what it has to know of the others.
 */
import { BackendSet } from './backend-set.ts';
import { BackgroundRun } from './background-run.ts';
import { BalancerUpkeep } from './balancer-upkeep.ts';
import { Chooser } from './chooser.ts';
import { HealthMonitor } from './health/health-monitor.ts';
import { ListChanges } from './list-changes.ts';
import { checkDiscovery, checkSelection, type LoadBalancerOptions, resolveNumbers } from './load-balancer-options.ts';
import { type Logger, silentLogger } from './logger.ts';
import { PassiveHealth } from './passive/passive-health.ts';
import type { PassiveHealthOptions } from './passive/passive-health-options.ts';
import { Replication } from './replication/replication.ts';
import { RoundRobin } from './selection/round-robin.ts';
import { SlowStart } from './slow-start.ts';
import { realTime, type TimeSource } from './time-source.ts';
import { Uses } from './uses.ts';
import { WaitingPicks } from './waiting-picks.ts';

/** What a balancer consists of. */
export interface BalancerParts {
  readonly set: BackendSet;
  readonly lists: ListChanges;
  readonly slowStart: SlowStart;
  readonly uses: Uses;
  readonly waiting: WaitingPicks;
  readonly chooser: Chooser;
  readonly monitor: HealthMonitor;
  readonly passive: PassiveHealth | undefined;
  readonly replication: Replication;
  readonly upkeep: BalancerUpkeep;
  readonly run: BackgroundRun;
}

/** Throws TypeError or RangeError, naming the option, for values that cannot work. */
export function joinParts(options: LoadBalancerOptions): BalancerParts {
  const { logger = silentLogger, random = Math.random, selection = RoundRobin, time = realTime } = options;
  const discovery = checkDiscovery(options.discovery);
  const { maxConnections, panicThreshold, queue, slowStartMs } = resolveNumbers(options);
  const lists = new ListChanges();
  const slowStart = new SlowStart(slowStartMs, time.clock, random);
  const waiting = new WaitingPicks(queue, time);
  const set = new BackendSet({
    factory: checkSelection(selection),
    maxConnections,
    panicThreshold,
    slowStart,
    now: () => time.clock.now(),
    random,
    published: () => chooser.retry(),
  });
  const passive = passiveHealthOf(options.passiveHealth, { set, time, logger });
  const uses = new Uses(set, {
    ended: ({ address }, ok, position) => {
      if (position === undefined) return;
      if (ok !== undefined) passive?.report(address, ok, set.snapshot.size);
      chooser.released(position);
    },
  });
  const chooser = new Chooser({ set, uses, slowStart, waiting });
  const monitor = new HealthMonitor({
    logger,
    time,
    random,
    isChecked: ({ address }) => (set.stateOf(address)?.operator ?? 'maintenance') !== 'maintenance',
    onResult: (backend, success, threshold, cause) => {
      const flipped = set.observe(backend, success, threshold);
      if (flipped) replication.healthChanged(backend, success, cause);
      return flipped;
    },
  });
  const upkeep = new BalancerUpkeep({
    discovery,
    set,
    lists,
    monitor,
    logger,
    time,
    listChanged: () => replication.listChanged(),
    left: (backend) => {
      monitor.forget(backend);
      passive?.forget(backend.address);
    },
  });
  const replication = new Replication({
    set,
    lists,
    logger,
    followUp: (change) => upkeep.followUp(change),
    flipped: (backend, healthy, cause) => monitor.announce({ backend, healthy, cause }),
  });
  const run = new BackgroundRun(time, () => monitor.release());
  return { set, lists, slowStart, uses, waiting, chooser, monitor, passive, replication, upkeep, run };
}

/** Backends are taken out and in again as the outcomes of their uses say. */
function passiveHealthOf(
  options: PassiveHealthOptions | undefined,
  { logger, set, time }: { readonly set: BackendSet; readonly time: TimeSource; readonly logger: Logger },
): PassiveHealth | undefined {
  if (options === undefined) return undefined;
  return new PassiveHealth(options, {
    time,
    ejected: (address, untilMs, why) => {
      if (!set.setEjected(address, true)) return;
      const forMs = Math.round(untilMs - time.clock.now());
      logger.warn({ backend: address, forMs, why }, 'backend ejected');
    },
    returned: (address) => {
      if (set.setEjected(address, false)) logger.info({ backend: address }, 'backend is back from its ejection');
    },
  });
}
