/**
 * The client's decoder: responses of one upstream connection, each to the request announced before.
 */
import { CirqueError } from '@cirque/error';
import type { Framing } from './framing.ts';
import { MessageDecoder, type MessageSink } from './message-decoder.ts';
import { parseResponseHead, type ResponseRules, responseHead } from './response-head.ts';

/** Feeds on upstream bytes; on onMessageHead the head is in `responseHead`. */
export class ResponseDecoder extends MessageDecoder {
  /** Method of the request that the next response answers: HEAD has no body. */
  requestMethod = 'GET';
  readonly #rules: ResponseRules;

  constructor(sink: MessageSink, rules: ResponseRules) {
    super(sink, 'Upstream', rules.limits);
    this.#rules = rules;
  }

  protected override parseHead(buffer: Buffer, start: number, end: number): number {
    return parseResponseHead(buffer, start, end, this.#rules, this.requestMethod);
  }

  protected override framingOfHead(): Framing {
    return responseHead.framing;
  }

  protected override headTooLarge(): CirqueError {
    return new CirqueError('InvalidHTTPHeader', `head above ${this.#rules.limits.maxHeadBytes} bytes`, {
      source: 'Upstream',
    });
  }
}
