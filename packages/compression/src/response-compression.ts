/**
 * The module that compresses responses as their clients want it (Pingora's ResponseCompression).
 *
 * Stands in the downstream chain (after a cache, one variant for each client) or in the upstream chain (before it). The
 * decision is made from the head; bodies pass piece by piece.
 */
import type { HttpModule, HttpModuleBuilder, MaybePromise, RequestHeader, ResponseHeader } from '@cirque/http';
import { negotiate } from './accept-encoding.ts';
import { type Algorithm, CODING_OF } from './algorithm.ts';
import {
  assertAlgorithm,
  assertLevel,
  type CompressionOptions,
  type CompressionSettings,
  type Levels,
  offeredBy,
  resolveCompressionOptions,
} from './compression-options.ts';
import { Encoder } from './encoder.ts';
import { codingsOf, isTransformable } from './policy.ts';
import { forgetBytes, recodeNotModified, varyByEncoding, weakenEtag } from './recoded-head.ts';

/** At work on one request. Phases reach it by `session.downstreamModules.get(ResponseCompression)`. */
export class ResponseCompression implements HttpModule {
  readonly #request: RequestHeader;
  readonly #settings: CompressionSettings;
  #levels: Levels;
  /** Algorithms that are not switched off, the preferred first. */
  #offered: readonly Algorithm[];
  #encoder: Encoder | undefined;
  /** There only once the head says that this body is encoded: others cost nothing. */
  responseBodyFilter?: (body: Buffer | undefined, endOfStream: boolean) => MaybePromise<Buffer>;

  constructor(request: RequestHeader, settings: CompressionSettings) {
    this.#request = request;
    this.#settings = settings;
    this.#levels = settings.levels;
    this.#offered = settings.offered;
  }

  /**
   * Another level for this response, of one algorithm or of all; 0 switches off. Counts until the response head passes.
   * @throws RangeError for a level that an algorithm meant does not have.
   */
  setLevel(level: number, algorithm?: Algorithm): void {
    if (algorithm !== undefined) assertAlgorithm(algorithm);
    const levels = { ...this.#levels };
    for (const one of algorithm === undefined ? this.#settings.preference : [algorithm]) {
      assertLevel(one, level);
      levels[one] = level;
    }
    this.#levels = levels;
    this.#offered = offeredBy(levels, this.#settings.preference);
  }

  responseHeaderFilter(response: ResponseHeader, endOfStream: boolean): void {
    if (this.#offered.length === 0) return;
    if (response.status === 304) {
      recodeNotModified(this.#request, response, this.#settings.preserveEtag);
      return;
    }
    const accepted = this.#request.headers.getAll('Accept-Encoding').join(',');
    const worth = this.#isWorth(response);
    // A client that cannot use plain bodies gets its coding even where that saves nothing.
    if (!worth && !mayRefuseIdentity(accepted)) return;
    if (!isTransformable(this.#request, response, endOfStream) || codingsOf(response).length > 0) return;
    const { algorithm, identityRefused } = negotiate(accepted, this.#offered);
    if (!worth && !(identityRefused && algorithm !== undefined)) return;
    varyByEncoding(response);
    if (algorithm !== undefined) this.#encode(response, algorithm, endOfStream);
  }

  close(): void {
    this.#encoder?.close();
  }

  #isWorth(response: ResponseHeader): boolean {
    const length = response.headers.contentLength;
    const type = response.getHeader('Content-Type');
    if (length >= 0 && length < this.#settings.minBytes) return false;
    return type !== undefined && this.#settings.compressible(type);
  }

  #encode(response: ResponseHeader, algorithm: Algorithm, endOfStream: boolean): void {
    const length = response.headers.contentLength;
    forgetBytes(response.headers);
    response.insertHeader('Content-Encoding', CODING_OF[algorithm]);
    if (!this.#settings.preserveEtag) weakenEtag(response);
    if (endOfStream) return;
    const encoder = new Encoder(algorithm, this.#levels[algorithm], length);
    this.#encoder = encoder;
    this.responseBodyFilter = (body, end) => encoder.push(body, end);
  }
}

/** False when a value certainly holds no `identity;q=0`: spares the reading of most. */
function mayRefuseIdentity(acceptEncoding: string): boolean {
  return /q=0/i.test(acceptEncoding);
}

/** A builder of {@link ResponseCompression}. @throws TypeError or RangeError for impossible options */
export function compression(options: CompressionOptions = {}): HttpModuleBuilder<ResponseCompression> {
  const settings = resolveCompressionOptions(options);
  return {
    name: 'compression',
    order: settings.order,
    create: (request) => new ResponseCompression(request, settings),
  };
}
