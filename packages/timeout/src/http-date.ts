/**
 * Dates in the form HTTP uses, and the present one at almost no cost.
 *
 * IMF-fixdate, RFC 9110 section 5.6.7: the only form that may be sent. Parsing is not done here.
 */

const LAST_MS = Date.UTC(9999, 11, 31, 23, 59, 59, 999);
const FIRST_MS = -62167219200000; // 0000-01-01: the form has four digits for the year and no sign

let cachedSecond = Number.NaN;
let cachedText = '';

/** The present moment for a `Date` field, as `Sun, 06 Nov 1994 08:49:37 GMT`. Formatted at most once per second. */
export function httpDate(): string {
  const second = Math.floor(Date.now() / 1000);
  if (second !== cachedSecond) {
    cachedText = formatHttpDate(second * 1000);
    cachedSecond = second;
  }
  return cachedText;
}

/**
 * A moment, in milliseconds since 1970, as IMF-fixdate; fractions of a second are cut off.
 * Throws RangeError outside of the years 0 to 9999 and for what is not a number.
 */
export function formatHttpDate(ms: number): string {
  if (!(ms >= FIRST_MS && ms <= LAST_MS)) {
    throw new RangeError(`an HTTP date needs milliseconds within the years 0 to 9999, got ${String(ms)}`);
  }
  return new Date(ms).toUTCString();
}
