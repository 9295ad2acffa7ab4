/**
 * When passive health ejects a backend, and for how long: the options, their defaults and their checks.
 */
import { integerOption, shareOption } from '../number-option.ts';

/** Everything has a default. */
export interface PassiveHealthOptions {
  /** Failures in a row that eject a backend. Default 5; 0 switches this rule off. */
  readonly consecutiveFailures?: number | undefined;
  /**
   * Share of failures, above 0 up to 1, that ejects a backend, once `minimumVolume` outcomes have come in one interval.
   * Default 0: this rule is off.
   */
  readonly errorRate?: number | undefined;
  /** Outcomes in one interval from which `errorRate` counts. Default 20. */
  readonly minimumVolume?: number | undefined;
  /** Length of the interval over which `errorRate` is counted, and after which a clean backend is forgiven one ejection. Default 10,000. */
  readonly intervalMs?: number | undefined;
  /** Length of the first ejection; the second in a row takes twice as long, and so on. Default 30,000. */
  readonly baseEjectionMs?: number | undefined;
  /** The longest ejection. Default 300,000, or `baseEjectionMs` if that is more. */
  readonly maxEjectionMs?: number | undefined;
  /**
   * Share of the backends, from 0 to 1, that may be ejected at a time. Of two or more backends one may always be, of one
   * backend none. Default 0.1.
   */
  readonly maxEjectedShare?: number | undefined;
}

/** {@link PassiveHealthOptions} with every default filled in. */
export type ResolvedPassiveHealth = { readonly [Name in keyof PassiveHealthOptions]-?: number };

/** Fills in the defaults. Throws RangeError naming the option. */
export function resolvePassiveHealth(options: PassiveHealthOptions): ResolvedPassiveHealth {
  const consecutiveFailures = integerOption('consecutiveFailures', options.consecutiveFailures, 5, 0);
  const errorRate = shareOption('errorRate', options.errorRate, 0);
  if (consecutiveFailures === 0 && errorRate === 0) {
    throw new RangeError('consecutiveFailures and errorRate are both 0: nothing would ever eject a backend');
  }
  const baseEjectionMs = integerOption('baseEjectionMs', options.baseEjectionMs, 30_000, 1);
  const maxEjectionMs = integerOption('maxEjectionMs', options.maxEjectionMs, Math.max(300_000, baseEjectionMs), 1);
  if (maxEjectionMs < baseEjectionMs) {
    throw new RangeError(`maxEjectionMs must be at least baseEjectionMs (${baseEjectionMs}), got ${maxEjectionMs}`);
  }
  return {
    consecutiveFailures,
    errorRate,
    minimumVolume: integerOption('minimumVolume', options.minimumVolume, 20, 1),
    intervalMs: integerOption('intervalMs', options.intervalMs, 10_000, 1),
    baseEjectionMs,
    maxEjectionMs,
    maxEjectedShare: shareOption('maxEjectedShare', options.maxEjectedShare, 0.1),
  };
}
