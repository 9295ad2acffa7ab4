/**
 * The servers of an upstream for connections and flows: the one that a client had before, where it is to stay with it, else the
 * choice of the balancer.
 */
import type { Pick } from '@cirque/load-balancing';
import type { StreamClient } from '../upstreams/selection-key.ts';
import type { UpstreamGroup } from '../upstreams/upstream-group.ts';

/**
 * A server for the client, now or when one is free. Give it back with `done`.
 *
 * @param signal aborted when the client has left; asked for where somebody may have to wait.
 * @throws CirqueError of type ConnectNoRoute, or rejects with it, when there is none.
 */
export function acquireServer(
  group: UpstreamGroup,
  client: StreamClient,
  signal: () => AbortSignal | undefined,
): Pick | Promise<Pick> {
  const { balancer, config, stickySource } = group;
  const prefer = client.address === undefined ? undefined : stickySource?.get(client.address);
  return balancer.acquire(group.streamKey(client), { prefer, signal: config.queueSize > 0 ? signal() : undefined });
}
