/**
 * Which answers to a health check by HTTP are good.
 */
import { CirqueError, escapeText } from '@cirque/error';
import { integerOption } from '../number-option.ts';
import type { HttpCheckResponse, ProbeBody } from './http-probe.ts';

/** A status code, or a range of them with both ends included. */
export type StatusRange = number | readonly [from: number, to: number];

/** What is expected of an answer. Everything has a default. */
export interface HttpExpectationOptions {
  /**
   * Status codes that count as healthy: one, or a list of codes and ranges, `[204, [200, 299]]`. Default 200, or any if
   * there is a `validator`.
   */
  readonly expectedStatus?: number | readonly StatusRange[] | undefined;
  /** What the body must hold (read as UTF-8): this text, or something that the expression fits. Default none: any body. */
  readonly expectedBody?: string | RegExp | undefined;
  /** With `expectedBody`: it must be within so many bytes; what follows them is not read. Default 65,536. */
  readonly maxBodyBytes?: number | undefined;
  /** Says whether an answer with an expected status is good. Throwing counts as no, with what was thrown as the reason. */
  readonly validator?: ((response: HttpCheckResponse) => boolean | Promise<boolean>) | undefined;
}

type Range = readonly [from: number, to: number];

/** Judges answers. Throws TypeError or RangeError, naming the option, for values that cannot work. */
export class HttpExpectation {
  readonly #statuses: readonly Range[] | undefined;
  readonly #body: string | RegExp | undefined;
  readonly #maxBodyBytes: number;
  readonly #validator: HttpExpectationOptions['validator'];

  constructor(options: HttpExpectationOptions) {
    this.#statuses = readStatuses(options);
    this.#body = readBody(options.expectedBody);
    this.#maxBodyBytes = integerOption('maxBodyBytes', options.maxBodyBytes, 65_536, 1, 1_073_741_824);
    this.#validator = options.validator;
  }

  /**
   * Resolves when the answer is good: true when it was read to its end. Rejects with UnexpectedStatus or
   * UnexpectedResponse.
   */
  async judge(response: HttpCheckResponse, body: ProbeBody): Promise<boolean> {
    await this.#judgeHead(response);
    if (this.#body === undefined) {
      await body.drain();
      return true;
    }
    const { bytes, complete } = await body.read(this.#maxBodyBytes);
    const text = bytes.toString('utf8');
    const isThere = typeof this.#body === 'string' ? text.includes(this.#body) : this.#body.test(text);
    if (isThere) return complete;
    const expected = typeof this.#body === 'string' ? JSON.stringify(this.#body) : String(this.#body);
    const where = complete ? 'the body' : `the first ${this.#maxBodyBytes} bytes of the body`;
    const beginning = escapeText(text.slice(0, 60));
    throw CirqueError.upstream('UnexpectedResponse', `expected ${expected} in ${where}, which begins "${beginning}"`);
  }

  async #judgeHead(response: HttpCheckResponse): Promise<void> {
    const { statusCode } = response;
    const statuses = this.#statuses;
    if (statuses !== undefined && !statuses.some(([from, to]) => statusCode >= from && statusCode <= to)) {
      const expected = statuses.map(([from, to]) => (from === to ? `${from}` : `${from}-${to}`)).join(' or ');
      throw CirqueError.upstream('UnexpectedStatus', `expected status ${expected}, got ${statusCode}`);
    }
    if (this.#validator === undefined || (await this.#validator(response))) return;
    throw CirqueError.upstream('UnexpectedResponse', `the validator refused a response with status ${statusCode}`);
  }
}

function readStatuses({ expectedStatus, validator }: HttpExpectationOptions): readonly Range[] | undefined {
  if (expectedStatus === undefined) return validator === undefined ? [[200, 200]] : undefined;
  const list = typeof expectedStatus === 'number' ? [expectedStatus] : expectedStatus;
  const ranges = Array.isArray(list) ? list.map(readRange) : [];
  if (ranges.length > 0 && ranges.every(isRange)) return ranges;
  throw new RangeError(
    `expectedStatus must be one or more integers from 200 to 599, or ranges [from, to] of them, got ${JSON.stringify(expectedStatus)}`,
  );
}

function readRange(status: StatusRange): Range {
  return typeof status === 'number' ? [status, status] : status;
}

function isRange(range: Range): boolean {
  if (!Array.isArray(range) || range.length !== 2) return false;
  const [from, to] = range;
  return Number.isInteger(from) && Number.isInteger(to) && from >= 200 && from <= to && to <= 599;
}

/** An expression that remembers where it was would answer differently each time. */
function readBody(expected: string | RegExp | undefined): string | RegExp | undefined {
  if (expected instanceof RegExp) return new RegExp(expected.source, expected.flags.replace(/[gy]/g, ''));
  if (expected === undefined || (typeof expected === 'string' && expected !== '')) return expected;
  throw new TypeError(`expectedBody must be a text or a regular expression, got ${JSON.stringify(expected)}`);
}
