/**
 * The module that decodes compressed request bodies, for upstreams that cannot.
 *
 * The client is the hostile side here: what it sends malformed is a 400, what grows too much a 413.
 */
import { CirqueError } from '@cirque/error';
import type { HttpModule, HttpModuleBuilder, RequestHeader } from '@cirque/http';
import type { Algorithm } from './algorithm.ts';
import { Decoder, type DecodingFailure, type DecodingLimits } from './decoder.ts';
import { type DecodingOptions, resolveDecodingOptions } from './decompression-options.ts';
import { decodableAs } from './policy.ts';
import { forgetBytes } from './recoded-head.ts';

const failure: DecodingFailure = (problem, context, cause) =>
  CirqueError.http(problem === 'malformed' ? 400 : 413, context, { source: 'Downstream', cause });

/** At work on one request whose body has a coding that can be undone. */
export class RequestDecompression implements HttpModule {
  readonly #decoder: Decoder;

  constructor(algorithm: Algorithm, limits: DecodingLimits) {
    this.#decoder = new Decoder(algorithm, limits, failure);
  }

  requestHeaderFilter(request: RequestHeader): void {
    forgetBytes(request.headers);
    request.removeHeader('Content-Encoding');
  }

  requestBodyFilter(body: Buffer | undefined, endOfStream: boolean): Promise<Buffer> {
    return this.#decoder.push(body, endOfStream);
  }

  close(): void {
    this.#decoder.close();
  }
}

/**
 * A builder of {@link RequestDecompression}. Requests without a coding, with an unknown one or with several have no such
 * module and pass as they are. @throws TypeError or RangeError for impossible options
 */
export function requestDecompression(options: DecodingOptions = {}): HttpModuleBuilder<RequestDecompression> {
  const settings = resolveDecodingOptions('requestDecompression', options, 67_108_864);
  return {
    name: 'requestDecompression',
    order: settings.order,
    create: (request) => {
      const algorithm = request.headers.has('Content-Encoding') ? decodableAs(request) : undefined;
      return algorithm === undefined ? undefined : new RequestDecompression(algorithm, settings);
    },
  };
}
