/**
 * The servers of an upstream for connections and flows: the one that a client had before, where it is to stay with it, else the
 * choice of the balancer.
 */
import { type Pick, StickyTable } from '@cirque/load-balancing';
import type { StreamClient } from '../upstreams/selection-key.ts';
import type { UpstreamGroup } from '../upstreams/upstream-group.ts';

const tables = new WeakMap<UpstreamGroup, StickyTable>();

/**
 * A server for the client, now or when one is free. Give it back with `done`.
 *
 * @throws CirqueError of type ConnectNoRoute, or rejects with it, when there is none.
 */
export function acquireServer(
  group: UpstreamGroup,
  client: StreamClient,
  session: { readonly signal: AbortSignal },
): Pick | Promise<Pick> {
  const { address } = client;
  const prefer = address === undefined ? undefined : stickyTable(group)?.get(address);
  const { queueSize } = group.config;
  // The signal is made when it is asked for; without a queue nobody waits.
  return group.balancer.acquire(group.streamKey(client), {
    prefer,
    ...(queueSize > 0 ? { signal: session.signal } : {}),
  });
}

/** The client has got its server, and is to stay with it where the upstream says so. */
export function settleClient(group: UpstreamGroup, { backend }: Pick, address: string | undefined): void {
  if (address !== undefined) stickyTable(group)?.set(address, backend.address);
}

function stickyTable(group: UpstreamGroup): StickyTable | undefined {
  const { sticky } = group.config;
  if (sticky?.kind !== 'source') return undefined;
  let table = tables.get(group);
  if (table === undefined) {
    table = new StickyTable({ ttlMs: sticky.ttlMs, maxEntries: sticky.maxEntries });
    tables.set(group, table);
  }
  return table;
}
