/**
 * Tunnels for servers of node:http: a listener for their `upgrade` and `connect` events.
 *
 * Node hands the socket over with its parser gone. The head is put back before what else has come, and the connection
 * served like one of ours: strictness, deadlines and half-close are the same.
 */
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { HttpConnectionApp, type HttpServerApp, type ServerSession } from '@cirque/core';
import { Stream } from '@cirque/transport';
import { type AppOptions, appOf, type Servable } from '../app-of.ts';

/** A listener for `upgrade` or `connect`. */
export type UpgradeHandler = (request: IncomingMessage, socket: Duplex, head: Buffer) => void;

/**
 * A listener that lets a proxy, or another application, accept or refuse tunnels (WebSocket and others). Refusals are
 * ordinary responses; the connection closes after them.
 *
 * Give it the same `HttpProxy` as {@link toNodeHandler}, so that both share connections. `connect` needs a proxy with the
 * option `allowConnect`.
 * @throws TypeError or RangeError for what cannot be served, and for wrong options.
 */
export function toUpgradeHandler<Ctx>(servable: Servable<Ctx>, options: AppOptions = {}): UpgradeHandler {
  return upgradeListener(appOf(servable, options));
}

/** @param onRequest is told of the request as the application will see it, before the application is. */
export function upgradeListener(
  app: HttpServerApp,
  onRequest: (session: ServerSession, request: IncomingMessage, socket: Duplex) => void = () => {},
): UpgradeHandler {
  return (request, socket, head) => {
    const { serverOptions } = app;
    const connection = new HttpConnectionApp({
      ...(serverOptions === undefined ? {} : { serverOptions }),
      processNewHttp(session) {
        // Further requests would pass by the server that this one came from.
        session.disableKeepAlive();
        onRequest(session, request, socket);
        app.processNewHttp(session);
      },
      refusedRequest: (error, status, digest) => app.refusedRequest?.(error, status, digest),
    });
    // The server's own time limit for idle connections knows nothing of tunnels.
    (socket as Partial<Socket>).setTimeout?.(0);
    socket.unshift(Buffer.concat([headOf(request), head]));
    connection.processNew(new Stream(socket, 'Downstream'));
  };
}

function headOf({ method, url, httpVersion, rawHeaders }: IncomingMessage): Buffer {
  let text = `${method} ${url} HTTP/${httpVersion}\r\n`;
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) text += `${rawHeaders[at]}: ${rawHeaders[at + 1]}\r\n`;
  return Buffer.from(`${text}\r\n`, 'latin1');
}
