/**
 * Kinds of values that configuration keys have: what is right, as a check and in words.
 */

/** A kind of value. */
export interface Kind {
  /** What a right value is, as the end of the sentence "must be ...". */
  readonly expects: string;
  accepts(value: unknown): boolean;
}

/** More threads than this are a mistake. */
const MAX_THREADS = 256;

/** A week: longer waits than this are mistakes of unit. */
const MAX_SECONDS = 604_800;

export const trueOrFalse: Kind = {
  expects: 'true or false',
  accepts: (value) => typeof value === 'boolean',
};

export const seconds: Kind = {
  expects: `a number of seconds from 0 to ${MAX_SECONDS}`,
  accepts: (value) => typeof value === 'number' && value >= 0 && value <= MAX_SECONDS,
};

/** Text that may be empty; the system takes no text with a NUL. */
export function text(expects: string): Kind {
  return { expects, accepts: (value) => typeof value === 'string' && !value.includes('\0') };
}

export const path: Kind = text('a path');

export function integer(least: number, most: number): Kind {
  return {
    expects: `a whole number from ${least} to ${most}`,
    accepts: (value) => Number.isInteger(value) && (value as number) >= least && (value as number) <= most,
  };
}

export function isThreads(value: unknown): boolean {
  return value === 'auto' || integer(1, MAX_THREADS).accepts(value);
}

export function isListOf(value: unknown, accepts: (text: string) => boolean): boolean {
  return Array.isArray(value) && value.every((item) => typeof item === 'string' && accepts(item));
}
