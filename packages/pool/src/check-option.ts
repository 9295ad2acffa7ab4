/**
 * Checks of single option values, with errors that name the option, the value and what would be right.
 *
 * What they answer is a copy: nobody can change a checked option afterwards.
 */

/** One option: its name as the user knows it, its value as given. Answers the value to use. */
export type OptionReader<T> = (name: string, value: unknown) => T;

/** A number of milliseconds, connections and so on. @throws RangeError */
export function readCount(name: string, value: unknown): number {
  if (Number.isSafeInteger(value) && (value as number) >= 0) return value as number;
  throw new RangeError(`${name} is ${shown(value)}: expected an integer of at least 0`);
}

/** An integer within bounds that are both included. @throws RangeError */
export function readRange(name: string, value: unknown, least: number, most: number): number {
  const number = readCount(name, value);
  if (number >= least && number <= most) return number;
  const range = most === Number.MAX_SAFE_INTEGER ? `an integer of at least ${least}` : `from ${least} to ${most}`;
  throw new RangeError(`${name} is ${number}: expected ${range}`);
}

/** @throws TypeError */
export function readBoolean(name: string, value: unknown): boolean {
  if (typeof value === 'boolean') return value;
  throw new TypeError(`${name} is ${shown(value)}: expected true or false`);
}

/** @throws TypeError */
export function readText(name: string, value: unknown): string {
  if (typeof value === 'string') return value;
  throw new TypeError(`${name} is ${shown(value)}: expected a string`);
}

/** @throws TypeError unless it is a function. */
export function checkFunction(name: string, value: unknown): void {
  if (typeof value !== 'function') throw new TypeError(`${name} is ${shown(value)}: expected a function`);
}

/**
 * An object whose own fields are all known.
 *
 * @throws TypeError naming a field that is not.
 */
export function readFields(name: string, value: unknown, known: readonly string[]): Readonly<Record<string, unknown>> {
  const fields = readObject(name, value);
  for (const field of Object.keys(fields)) {
    if (!known.includes(field)) {
      throw new TypeError(
        `${name}.${field} is unknown: expected ${known.length === 1 ? '' : 'one of '}${known.join(', ')}`,
      );
    }
  }
  return fields;
}

/** @throws TypeError unless it is an object that is not an array. */
export function readObject(name: string, value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw new TypeError(`${name} is ${shown(value)}: expected an object`);
}

/** A value for an error message: short, and on one line. */
export function shown(value: unknown): string {
  if (typeof value === 'function') return 'a function';
  if (typeof value !== 'object' && typeof value !== 'string') return String(value);
  try {
    return (JSON.stringify(value) ?? 'an object').slice(0, 256);
  } catch {
    return 'an object';
  }
}
