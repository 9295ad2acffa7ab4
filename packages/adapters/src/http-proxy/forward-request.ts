/**
 * The copy of a request for option `forward`: sent in the background, its response read and dropped.
 */
import type { IncomingMessage } from 'node:http';
import { PassThrough } from 'node:stream';
import type { RequestHeader } from '@cirque/http';
import type { HttpPeer } from '@cirque/pool';
import type { SubrequestInit } from '@cirque/proxy';
import { requestHeadOf } from '../node/request-head.ts';
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

  /**
   * The copy. Call it when the request itself is being read already, or will be in this turn.
   *
   * @throws CirqueError when the head is not acceptable.
   */
  copy<Ctx>(ctx: Ctx): SubrequestInit<Ctx> {
    const { method, target, headers } = requestHeadOf(this.#request);
    const announced = headers.has('transfer-encoding') || headers.contentLength > 0;
    // What was read before is not there any more.
    const hasBody = announced && !this.#request.readableEnded;
    if (!hasBody) headers.delete('Content-Length');
    return { method, target, headers, ctx, ...(hasBody ? { body: this.#tee() } : {}) };
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
