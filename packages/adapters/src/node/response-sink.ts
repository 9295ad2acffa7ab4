/**
 * Writes the response of a virtual request to a response of node:http: head, body, trailers, interim responses, cuts.
 */
import { ServerResponse } from 'node:http';
import { Http2ServerResponse } from 'node:http2';
import type { Socket } from 'node:net';
import type { CirqueError } from '@cirque/error';
import type { HeaderMap, ResponseHeader } from '@cirque/http';
import type { Lease } from '@cirque/transport';

/** Responses of node:http, and those of node:http2 in its compatible form. */
export type NodeResponse = ServerResponse | Http2ServerResponse;

/** What of an answer does not follow from its head. */
export interface Conversation {
  /** Another request of this client may follow. */
  readonly keepAlive: boolean;
}

/** See the file's head. */
export class NodeResponseSink {
  readonly #response: NodeResponse;
  readonly #conversation: Conversation;

  constructor(response: NodeResponse, conversation: Conversation) {
    this.#response = response;
    this.#conversation = conversation;
  }

  onHead(header: ResponseHeader): void {
    const response = this.#response;
    if (this.#over) return;
    if (header.informational) {
      inform(response, header);
      return;
    }
    // One by one and not as a list: so what middleware hooked into the response sees them.
    for (const [name, values] of grouped(header.headers)) response.setHeader(name, values);
    if (isHttp2(response)) {
      response.writeHead(header.status);
      return;
    }
    if (!this.#conversation.keepAlive) response.setHeader('Connection', 'close');
    if (header.reason === '') response.writeHead(header.status);
    else response.writeHead(header.status, header.reason);
  }

  onBody(buffer: Buffer, start: number, end: number, lease: Lease | undefined): boolean {
    const response = this.#response as ServerResponse;
    if (this.#over) return true;
    if (lease === undefined || !writesOut(response)) return response.write(Buffer.from(buffer.subarray(start, end)));
    lease.retain();
    return response.write(buffer.subarray(start, end), lease.release);
  }

  onEnd(trailers: HeaderMap | undefined): void {
    if (this.#over) return;
    if (trailers !== undefined) this.#response.addTrailers(trailers.toJSON() as Record<string, string>);
    this.#response.end();
  }

  /** The client sees that it has not got everything. */
  onAbort(_error: CirqueError): void {
    const response = this.#response;
    if (this.#over) return;
    if (isHttp2(response)) {
      response.stream.close(INTERNAL_ERROR);
      return;
    }
    const { req, socket } = response;
    // A body that ends with the connection would look complete after a FIN.
    if (req.httpVersionMinor === 0 && !response.hasHeader('Content-Length')) reset(socket);
    // What was written before still arrives; in this turn Node may hold it back.
    if (socket === null) response.destroy();
    else process.nextTick(() => socket.destroySoon());
  }

  /** Others have ended it, a time limit of the framework for example: Node ends the process for a write after that. */
  get #over(): boolean {
    return this.#response.writableEnded || this.#response.destroyed;
  }
}

/** HTTP/2 error code (RFC 9113 section 7). */
const INTERNAL_ERROR = 2;

/** Node's own write is done when its callback comes; middleware that replaces it may keep what it is given. */
function writesOut({ write }: NodeResponse): boolean {
  return write === ServerResponse.prototype.write || write === Http2ServerResponse.prototype.write;
}

function isHttp2(response: NodeResponse): response is Http2ServerResponse {
  return response.req.httpVersionMajor >= 2;
}

function grouped(headers: HeaderMap): Map<string, string | string[]> {
  const fields = new Map<string, string | string[]>();
  const names = new Map<string, string>();
  headers.forEach((name, value) => {
    const lower = name.toLowerCase();
    const first = names.get(lower);
    if (first === undefined) {
      names.set(lower, name);
      fields.set(name, value);
    } else {
      fields.set(first, [fields.get(first) ?? [], value].flat());
    }
  });
  return fields;
}

/** Interim responses that node:http can write; the others say nothing that a client waits for. */
function inform(response: NodeResponse, { status, headers }: ResponseHeader): void {
  if (response.req.httpVersionMajor === 1 && response.req.httpVersionMinor === 0) return;
  if (status === 100) response.writeContinue();
  else if (status === 103 && headers.has('link')) {
    try {
      response.writeEarlyHints(headers.toJSON() as { link: string | string[] });
    } catch {
      // Node has rules of its own for links; hints are no loss.
    }
  } else if (status === 102 && !isHttp2(response)) response.writeProcessing();
}

function reset(socket: Socket | null): void {
  try {
    socket?.resetAndDestroy();
  } catch {
    // TLS and unix sockets cannot be reset.
  }
}
