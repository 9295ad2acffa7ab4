/**
 * A task that runs beside the services, under a name.
 *
 * Structural on both sides: any object with such a `start` is a task, and a server takes whatever looks like the result.
 */

/** Counters and gauges by name, in groups, as plain data. */
export interface TaskStats {
  readonly [name: string]: number | string | boolean | undefined | TaskStats;
}

/** Work that goes on until it is told to stop. */
export interface BackgroundTask {
  /**
   * Runs until `signal` aborts, or until there is nothing left to do. Calls `ready` once, when others may rely on it.
   */
  start(signal: AbortSignal, ready: () => void): Promise<void>;
  /** What it counts. */
  stats?(): TaskStats;
}

/** What `Server.addService` takes for a background task. */
export interface BackgroundService<Task extends BackgroundTask> extends BackgroundTask {
  readonly name: string;
  /** The task itself, for those who use it. */
  readonly task: Task;
}

/** Names a task, so that it can be added to a server: `server.addService(backgroundService('health check', upstreams))`. */
export function backgroundService<Task extends BackgroundTask>(name: string, task: Task): BackgroundService<Task> {
  if (typeof name !== 'string' || name === '') {
    throw new TypeError(`name of a background service must be a text that is not empty, got ${String(name)}`);
  }
  if (typeof task?.start !== 'function') {
    throw new TypeError(`task of background service ${JSON.stringify(name)} must have a method start(signal, ready)`);
  }
  return {
    name,
    task,
    start: (signal, ready) => task.start(signal, ready),
    ...(task.stats === undefined ? {} : { stats: () => task.stats?.() ?? {} }),
  };
}
