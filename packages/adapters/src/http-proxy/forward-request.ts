/**
 * The copy of a request for option `forward`: sent in the background, its response read and dropped.
 */
import type { IncomingMessage } from 'node:http';
import { PassThrough } from 'node:stream';
import { HeaderMap, type RequestHeader } from '@cirque/http';
import type { HttpPeer } from '@cirque/pool';
import type { SubrequestInit } from '@cirque/proxy';
import type { ServerOptions, Settings } from './server-options.ts';
import { type Proxied, prepareHead } from './shim-request.ts';
import type { Target } from './target.ts';

/** Bytes of a body that wait for the target of the copy; more, and the copy is given up. */
const MAX_WAITING_BYTES = 1_048_576;

/** See the file's head. */
export class ForwardRequest implements Proxied {
  readonly peer: HttpPeer;
  readonly #target: Target;
  readonly #options: ServerOptions;
  readonly #request: IncomingMessage;

  constructor(request: IncomingMessage, settings: Settings) {
    this.#request = request;
    this.#options = settings.options;
    this.#target = settings.forward as Target;
    this.peer = settings.forwardPeer as HttpPeer;
  }

  /** The copy. Call it when the request itself is being read already, or will be in this turn. */
  copy<Ctx>(ctx: Ctx): SubrequestInit<Ctx> {
    const { method = 'GET', url = '/', rawHeaders, headers } = this.#request;
    const fields = HeaderMap.empty();
    for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
      fields.append(rawHeaders[at] as string, rawHeaders[at + 1] as string);
    }
    const announced = headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
    // What was read before is not there any more.
    const hasBody = announced && !this.#request.readableEnded;
    if (!hasBody) fields.delete('Content-Length');
    return { method, target: url, headers: fields, ctx, ...(hasBody ? { body: this.#tee() } : {}) };
  }

  filterRequest(head: RequestHeader): void {
    prepareHead(head, this.#target, this.#options, this.#request.url ?? '/');
  }

  noteResponse(): void {}

  failed(): void {}

  over(): void {}

  /** What is read of the body, beside whoever reads it; a copy that cannot keep up does not hold the request back. */
  #tee(): PassThrough {
    const copy = new PassThrough({ highWaterMark: MAX_WAITING_BYTES });
    copy.on('error', () => {});
    const request = this.#request;
    request.on('data', (chunk: Buffer) => {
      if (copy.destroyed || copy.write(chunk)) return;
      copy.destroy(new Error('the target of option forward does not keep up'));
    });
    request.on('end', () => copy.end());
    request.on('close', () => {
      if (!request.complete) copy.destroy(new Error('the client has gone'));
    });
    return copy;
  }
}
