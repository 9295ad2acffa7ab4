/**
 * The phases of a UDP listener: asks its upstream for a server for each flow.
 */
import { CirqueError } from '@cirque/error';
import type { Pick } from '@cirque/load-balancing';
import { UdpProxy, type UdpSession } from '@cirque/stream';
import { type InetAddress, isUnixAddress } from '@cirque/transport';
import type { UdpListenerConfig } from '../config/gateway-config.ts';
import type { UpstreamLookup } from '../upstreams/upstream-lookup.ts';
import { ServerInUse } from './server-in-use.ts';

/** What is kept of a flow. */
export interface UdpContext {
  server: ServerInUse | undefined;
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

  /** Another upstream for the flows that begin after the result was called. */
  prepare({ upstream }: UdpListenerConfig, upstreams: UpstreamLookup): () => void {
    return () => {
      this.#upstream = upstream;
      this.#upstreams = upstreams;
    };
  }

  override newCtx(): UdpContext {
    return { server: undefined };
  }

  override upstreamPeer(session: UdpSession, ctx: UdpContext): InetAddress | Promise<InetAddress> {
    const client = { address: session.clientAddress.host, serverName: undefined };
    const server = ctx.server ?? new ServerInUse(this.#upstreams(this.#upstream), client);
    ctx.server = server;
    const picked = server.next(() => undefined);
    return picked instanceof Promise ? picked.then((pick) => use(pick, server, session)) : use(picked, server, session);
  }

  /** Another server gets what the client has sent, where the session can still be given to one. */
  override failToSend(_session: UdpSession, { server }: UdpContext, error: CirqueError): CirqueError {
    server?.failed();
    return error.setRetry(true);
  }

  override logging(_session: UdpSession, error: CirqueError | undefined, { server }: UdpContext): void {
    server?.done(error === undefined);
  }
}

function use(pick: Pick, server: ServerInUse, session: UdpSession): InetAddress {
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
  server.take(pick);
  server.settled();
  return backend;
}
