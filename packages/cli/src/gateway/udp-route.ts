/**
 * The phases of a UDP listener: asks its upstream for a server for each flow.
 */
import { CirqueError } from '@cirque/error';
import type { Pick } from '@cirque/load-balancing';
import { UdpProxy, type UdpSession } from '@cirque/stream';
import { type InetAddress, isUnixAddress } from '@cirque/transport';
import type { UdpListenerConfig } from '../config/gateway-config.ts';
import type { UpstreamGroup } from '../upstreams/upstream-group.ts';
import type { UpstreamLookup } from '../upstreams/upstream-lookup.ts';
import { acquireServer } from './stream-servers.ts';

/** What is kept of a flow. */
export interface UdpContext {
  pick: Pick | undefined;
  failed: boolean;
}

/** See the file's head. */
export class UdpRoute extends UdpProxy<UdpContext> {
  #upstream: string;
  #upstreams: UpstreamLookup;

  constructor({ upstream }: UdpListenerConfig, upstreams: UpstreamLookup) {
    super();
    this.#upstream = upstream;
    this.#upstreams = upstreams;
  }

  /** Flows that begin from now on go to another upstream. */
  swap({ upstream }: UdpListenerConfig, upstreams: UpstreamLookup): void {
    this.#upstream = upstream;
    this.#upstreams = upstreams;
  }

  override newCtx(): UdpContext {
    return { pick: undefined, failed: false };
  }

  override upstreamPeer(session: UdpSession, ctx: UdpContext): InetAddress | Promise<InetAddress> {
    giveBack(ctx);
    const client = { address: session.clientAddress.host, serverName: undefined };
    const group = this.#upstreams(this.#upstream);
    const picked = acquireServer(group, client, () => undefined);
    return 'then' in picked ? picked.then((pick) => use(pick, group, session, ctx)) : use(picked, group, session, ctx);
  }

  override failToSend(_session: UdpSession, ctx: UdpContext): void {
    ctx.failed = true;
  }

  override logging(_session: UdpSession, _error: CirqueError | undefined, ctx: UdpContext): void {
    giveBack(ctx);
  }
}

function use(pick: Pick, group: UpstreamGroup, session: UdpSession, ctx: UdpContext): InetAddress {
  const { backend } = pick;
  // The session may have ended while it waited for a server.
  if (session.reason !== undefined) {
    pick.done();
    throw CirqueError.internal('ConnectionClosed', 'the session ended before there was a server');
  }
  if (isUnixAddress(backend)) {
    pick.done();
    throw CirqueError.internal('InternalError', `${backend.address} is a unix socket: datagrams need host and port`);
  }
  group.remember(session.clientAddress.host, backend);
  ctx.pick = pick;
  ctx.failed = false;
  return backend;
}

function giveBack(ctx: UdpContext): void {
  ctx.pick?.done({ ok: !ctx.failed });
  ctx.pick = undefined;
}
