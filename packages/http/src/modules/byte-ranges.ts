/**
 * The module that serves Range requests from whole responses: 206, several parts, 416. For origins that send a
 * Content-Length and know no ranges; what an origin answered with 206 itself passes untouched.
 */
import type { HttpModule, HttpModuleBuilder } from '../http-module.ts';
import { applyRange, isRangeable, type RangeOptions } from '../range.ts';
import { RangeCutter } from '../range-cutter.ts';
import type { RequestHeader } from '../request-header.ts';
import type { ResponseHeader } from '../response-header.ts';

/** At work on one request. */
export class ByteRanges implements HttpModule {
  readonly #request: RequestHeader;
  readonly #options: RangeOptions;
  /** There only where the body is cut. */
  responseBodyFilter?: (body: Buffer | undefined) => Buffer | undefined;

  constructor(request: RequestHeader, options: RangeOptions = {}) {
    this.#request = request;
    this.#options = options;
  }

  responseHeaderFilter(response: ResponseHeader): void {
    const plan = applyRange(this.#request, response, this.#options);
    if (plan.kind === 'whole') {
      announceRanges(this.#request, response);
      return;
    }
    const cutter = new RangeCutter(plan);
    this.responseBodyFilter = (body) => (body === undefined ? undefined : cutter.cut(body));
  }
}

/** Tells clients that ranges may be asked for; all there is to do when none were. */
class RangesOffer implements HttpModule {
  readonly #request: RequestHeader;

  constructor(request: RequestHeader) {
    this.#request = request;
  }

  responseHeaderFilter(response: ResponseHeader): void {
    announceRanges(this.#request, response);
  }
}

function announceRanges({ method }: RequestHeader, response: ResponseHeader): void {
  if ((method === 'GET' || method === 'HEAD') && isRangeable(response)) response.insertHeader('Accept-Ranges', 'bytes');
}

/**
 * A builder of {@link ByteRanges}, for downstream modules. Order -8,192: it cuts what other modules made of the body, but
 * before compression, which leaves partial responses alone. @throws RangeError for a `maxRanges` that is no positive integer
 */
export function byteRanges(options: RangeOptions = {}): HttpModuleBuilder {
  const { maxRanges } = options;
  if (maxRanges !== undefined && !(Number.isInteger(maxRanges) && maxRanges > 0)) {
    throw new RangeError(`maxRanges of byteRanges is ${String(maxRanges)}: expected a positive integer`);
  }
  return {
    name: 'byteRanges',
    order: -8_192,
    create: (request) => (request.headers.has('Range') ? new ByteRanges(request, options) : new RangesOffer(request)),
  };
}
