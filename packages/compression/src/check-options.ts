/**
 * Checks of options when a module is built: an error names option, value and what would be right.
 */

/** @throws TypeError when an option has another name than these. */
export function assertKnown(owner: string, options: object, known: readonly string[]): void {
  for (const name of Object.keys(options)) {
    if (!known.includes(name)) {
      throw new TypeError(`unknown option ${JSON.stringify(name)} of ${owner}: expected one of ${known.join(', ')}`);
    }
  }
}

/** @throws RangeError when the value is not an integer from `min` to `max`. */
export function assertInteger(owner: string, name: string, value: unknown, min: number, max: number): void {
  if (Number.isInteger(value) && (value as number) >= min && (value as number) <= max) return;
  throw new RangeError(`${name} of ${owner} is ${String(value)}: expected an integer from ${min} to ${max}`);
}
