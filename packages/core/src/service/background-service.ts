/**
 * Runs a task that listens to nothing (health checks, tickers, discovery) as a service.
 *
 * Tasks are recognised by their shape, so that packages which offer one need not know this one.
 */
import { CirqueError } from '@cirque/error';
import { isReplicated } from './replicated.ts';
import type { Service, ServiceContext } from './service.ts';
import type { StatsTree } from './stats-tree.ts';

/** What a background task must have. */
export interface BackgroundTask {
  readonly name: string;
  /**
   * Runs until `signal` is aborted. Calls `ready` when the services that depend on it may start; a function that
   * takes no second argument is ready at once.
   */
  start(signal: AbortSignal, ready: () => void): Promise<void> | void;
  /** Counters of the task, for `server.stats()`. */
  stats?(): StatsTree;
}

/** A task together with the object it works on, as load-balancing's `backgroundService()` makes it. */
export interface BackgroundService extends BackgroundTask {
  readonly task: unknown;
}

/**
 * Makes a service of a background task, which runs once, on the main thread. Where it works on replicated state (see
 * Replicated), every worker thread has a copy of that state. A task that fails is logged and the server goes on without it; it counts as
 * ready then, so that the services which depend on it start all the same (as in Pingora).
 *
 * @throws TypeError when `task` has no name or no start function.
 */
export function backgroundServiceOf(task: BackgroundTask & { readonly task?: unknown }): Service {
  if (typeof task.name !== 'string' || typeof task.start !== 'function') {
    throw new TypeError('a background service needs a name and a start(signal, ready) function');
  }
  const state = [task.task, task].find(isReplicated);
  return {
    name: task.name,
    start: (context) => runTask(task, context),
    ...(state === undefined ? {} : { replicated: state }),
    ...(task.stats === undefined ? {} : { stats: () => task.stats?.() ?? {} }),
  };
}

async function runTask(task: BackgroundTask, context: ServiceContext): Promise<void> {
  if (task.start.length < 2) context.ready();
  try {
    await task.start(context.shutdown, () => context.ready());
  } catch (cause) {
    if (context.shutdown.aborted) context.logger.debug({ err: cause }, 'background service ended by shutdown');
    else
      context.logger.error(
        { err: CirqueError.from(cause, 'InternalError') },
        'background service failed; it runs no more',
      );
  }
}
