/**
 * The module that decodes compressed responses: for clients that did not ask for the coding, or for filters that want to
 * read bodies. Before `compression()` in the same chain, it lets a response change from one coding to another.
 */
import { CirqueError } from '@cirque/error';
import type { HttpModule, HttpModuleBuilder, RequestHeader, ResponseHeader } from '@cirque/http';
import { codingWeight, parseAcceptEncoding } from './accept-encoding.ts';
import { type Algorithm, CODING_OF } from './algorithm.ts';
import { Decoder, type DecodingFailure } from './decoder.ts';
import { type DecodingSettings, type DecompressionOptions, resolveDecodingOptions } from './decompression-options.ts';
import { decodableAs, isTransformable } from './policy.ts';
import { forgetBytes, recodeNotModified, varyByEncoding, weakenEtag } from './recoded-head.ts';

interface Settings extends DecodingSettings {
  readonly when: 'unacceptable' | 'always';
  readonly preserveEtag: boolean;
}

const failure: DecodingFailure = (_problem, context, cause) => CirqueError.upstream('CompressionError', context, cause);

/** At work on one request. */
export class ResponseDecompression implements HttpModule {
  readonly #request: RequestHeader;
  readonly #settings: Settings;
  #enabled = true;
  #decoder: Decoder | undefined;
  /** There only once the head says that this body is decoded: others cost nothing. */
  responseBodyFilter?: (body: Buffer | undefined, endOfStream: boolean) => Promise<Buffer>;

  constructor(request: RequestHeader, settings: Settings) {
    this.#request = request;
    this.#settings = settings;
  }

  /** Switches it off, or on again, for this response. Counts until the response head passes. */
  setEnabled(enabled: boolean): void {
    this.#enabled = enabled;
  }

  responseHeaderFilter(response: ResponseHeader, endOfStream: boolean): void {
    const { when, preserveEtag } = this.#settings;
    if (!this.#enabled) return;
    if (response.status === 304) {
      if (when === 'unacceptable') recodeNotModified(this.#request, response, preserveEtag);
      else if (!preserveEtag) weakenEtag(response);
      return;
    }
    const algorithm = decodableAs(response);
    if (algorithm === undefined || !isTransformable(this.#request, response, endOfStream)) return;
    if (when === 'unacceptable') {
      varyByEncoding(response);
      if (this.#isAccepted(algorithm)) return;
    }
    forgetBytes(response.headers);
    response.removeHeader('Content-Encoding');
    if (!preserveEtag) weakenEtag(response);
    if (endOfStream) return;
    const decoder = new Decoder(algorithm, this.#settings, failure);
    this.#decoder = decoder;
    this.responseBodyFilter = (body, end) => decoder.push(body, end);
  }

  close(): void {
    this.#decoder?.close();
  }

  #isAccepted(algorithm: Algorithm): boolean {
    const accepted = parseAcceptEncoding(this.#request.headers.getAll('Accept-Encoding').join(','));
    return codingWeight(accepted, CODING_OF[algorithm]) > 0;
  }
}

/** A builder of {@link ResponseDecompression}. @throws TypeError or RangeError for impossible options */
export function decompression(options: DecompressionOptions = {}): HttpModuleBuilder<ResponseDecompression> {
  const limits = resolveDecodingOptions('decompression', options, 1_073_741_824, ['when', 'preserveEtag']);
  const { when = 'unacceptable', preserveEtag = false } = options;
  if (when !== 'unacceptable' && when !== 'always') {
    throw new TypeError(`when of decompression is ${String(when)}: expected 'unacceptable' or 'always'`);
  }
  const settings: Settings = { ...limits, when, preserveEtag };
  return {
    name: 'decompression',
    order: settings.order,
    create: (request) => new ResponseDecompression(request, settings),
  };
}
