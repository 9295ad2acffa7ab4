/**
 * The options of both directions of decompression, completed and checked once, when the module is built.
 */
import { assertInteger, assertKnown } from './check-options.ts';
import type { DecodingLimits } from './decoder.ts';

/** Limits on what a body may become, and the place of the module. */
export interface DecodingOptions {
  /** Decoded bytes of one body. Default 1 GiB for responses, 64 MiB for requests. */
  maxOutputBytes?: number;
  /** Decoded bytes per encoded byte, beyond the first MiB. Default 100. */
  maxRatio?: number;
  /** Place among the modules, higher runs first. Default 16,384: before whatever looks at a body. */
  order?: number;
}

/** Options of `decompression()`. */
export interface DecompressionOptions extends DecodingOptions {
  /**
   * `'unacceptable'` (default): decodes what the client did not ask for. `'always'`: decodes everything, so that body
   * filters see plain content.
   */
  when?: 'unacceptable' | 'always';
  /** Leaves a strong ETag as it is. Default false: it becomes weak. */
  preserveEtag?: boolean;
}

/** Options without gaps. */
export interface DecodingSettings extends DecodingLimits {
  readonly order: number;
}

const NAMES = ['maxOutputBytes', 'maxRatio', 'order'];

/** @throws TypeError or RangeError naming the option, its value and what would be right. */
export function resolveDecodingOptions(
  owner: string,
  options: DecodingOptions,
  defaultMaxOutputBytes: number,
  further: readonly string[] = [],
): DecodingSettings {
  assertKnown(owner, options, [...NAMES, ...further]);
  const { maxOutputBytes = defaultMaxOutputBytes, maxRatio = 100, order = 16_384 } = options;
  assertInteger(owner, 'maxOutputBytes', maxOutputBytes, 1, Number.MAX_SAFE_INTEGER);
  assertInteger(owner, 'maxRatio', maxRatio, 1, Number.MAX_SAFE_INTEGER);
  assertInteger(owner, 'order', order, Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER);
  return { maxOutputBytes, maxRatio, order };
}
