/**
 * The server's decoder: requests of one client connection.
 */
import { CirqueError } from '@cirque/error';
import type { Framing } from './framing.ts';
import { MessageDecoder, type MessageSink } from './message-decoder.ts';
import { parseRequestHead, type RequestRules, requestHead } from './request-head.ts';

/** Feeds on client bytes; on onMessageHead the head is in `requestHead`. */
export class RequestDecoder extends MessageDecoder {
  readonly #rules: RequestRules;

  constructor(sink: MessageSink, rules: RequestRules) {
    super(sink, 'Downstream', rules.limits);
    this.#rules = rules;
  }

  protected override parseHead(buffer: Buffer, start: number, end: number): number {
    return parseRequestHead(buffer, start, end, this.#rules);
  }

  protected override framingOfHead(): Framing {
    return requestHead.framing;
  }

  protected override headTooLarge(partial: Buffer): CirqueError {
    const insideRequestLine = !partial.subarray(2).includes(0x0a);
    const what = `head above ${this.#rules.limits.maxHeadBytes} bytes`;
    return new CirqueError('InvalidHTTPHeader', what, { source: 'Downstream', status: insideRequestLine ? 414 : 431 });
  }
}
