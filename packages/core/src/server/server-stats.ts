/**
 * What `server.stats()` answers.
 */
import type { StatsTree } from '../service/stats-tree.ts';
import type { ExecutionPhase } from './execution-phase.ts';

/** The counters of a server at one moment. Plain data: it can be sent as JSON. */
export interface ServerStats {
  readonly pid: number;
  readonly phase: ExecutionPhase;
  /** See `Server.isReady`. */
  readonly ready: boolean;
  readonly uptimeMs: number;
  /** Memory of the process in bytes (`rss`), and of the main thread; delay of the main thread's event loop since the last call. */
  readonly process: StatsTree;
  /** By name of the service. `connections` of those that listen; what the application counts beside that. */
  readonly services: Readonly<Record<string, StatsTree>>;
  /** One for each worker thread: service, index, whether it is up, how often it was replaced, memory, delay. */
  readonly workers: readonly StatsTree[];
}
