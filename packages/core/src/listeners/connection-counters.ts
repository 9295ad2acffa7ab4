/**
 * What became of the connections of one service, on this thread: plain numbers, raised where it happens.
 */
import type { StatsTree } from '../service/stats-tree.ts';

/**
 * Why a connection was refused: `limit` (maxConnections), `perClient` (maxConnectionsPerClient), `filter` (it said no),
 * `filterError` (it failed), `handshake` (PROXY header or TLS), `descriptors` (too few are left).
 */
export type RefusalReason = 'limit' | 'perClient' | 'filter' | 'filterError' | 'handshake' | 'descriptors';

/** See the file's head. */
export class ConnectionCounters {
  /** Connections that the system gave us, with those refused later; not those refused for `descriptors`. */
  accepted = 0;
  readonly refused: Record<RefusalReason, number> = {
    limit: 0,
    perClient: 0,
    filter: 0,
    filterError: 0,
    handshake: 0,
    descriptors: 0,
  };
  /** TLS handshakes. `abandoned`: the client left, or we stopped. `resumed` ones are among the completed. */
  readonly handshakes: Record<'completed' | 'failed' | 'timedOut' | 'abandoned' | 'resumed', number> = {
    completed: 0,
    failed: 0,
    timedOut: 0,
    abandoned: 0,
    resumed: 0,
  };

  /** @param open connections that are open now. */
  stats(open: number): StatsTree {
    const { accepted, refused, handshakes } = this;
    return { accepted, open, closed: accepted - open, refused: { ...refused }, handshakes: { ...handshakes } };
  }
}
