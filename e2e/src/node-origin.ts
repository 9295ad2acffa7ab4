/**
 * An origin on node:http: how the strict mode of llhttp understands what it gets. It notes every request whose body
 * came to its end, and echoes it.
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A complete request as Node understood it. */
export interface UnderstoodRequest {
  readonly method: string;
  readonly url: string;
  /** Base64, so that differences print well. */
  readonly body: string;
}

export class NodeOrigin {
  readonly port: number;
  /** Complete requests since the last `forget()`. */
  understood: UnderstoodRequest[] = [];
  #server: Server;

  private constructor(server: Server, port: number) {
    this.#server = server;
    this.port = port;
  }

  static async listen(): Promise<NodeOrigin> {
    const server = createServer({ insecureHTTPParser: false, keepAlive: true });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const origin = new NodeOrigin(server, (server.address() as AddressInfo).port);
    server.on('request', (request: IncomingMessage, response: ServerResponse) => origin.#serve(request, response));
    return origin;
  }

  forget(): void {
    this.understood = [];
  }

  async close(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }

  #serve(request: IncomingMessage, response: ServerResponse): void {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('error', () => response.destroy());
    request.on('end', () => {
      const body = Buffer.concat(chunks);
      const { method = '', url = '' } = request;
      this.understood.push({ method, url, body: body.toString('base64') });
      response.setHeader('X-Understood', `${method} ${body.length}`);
      response.end(body);
    });
  }
}
