/**
 * Checks of options that are numbers, with errors that name the option, the value and what would be right.
 */

/** The value, or the default if there is none. Throws RangeError unless it is an integer within bounds that are both included. */
export function integerOption(
  option: string,
  value: number | undefined,
  fallback: number,
  least: number,
  most: number = Number.MAX_SAFE_INTEGER,
): number {
  if (value === undefined) return fallback;
  if (Number.isSafeInteger(value) && value >= least && value <= most) return value;
  const range = most === Number.MAX_SAFE_INTEGER ? `from ${least}` : `from ${least} to ${most}`;
  throw new RangeError(`${option} must be an integer ${range}, got ${String(value)}`);
}

/** The value, or the default if there is none. Throws RangeError unless it is a number from 0 to 1. */
export function shareOption(option: string, value: number | undefined, fallback: number): number {
  if (value === undefined) return fallback;
  if (typeof value === 'number' && value >= 0 && value <= 1) return value;
  throw new RangeError(`${option} must be a number from 0 to 1, got ${String(value)}`);
}
