/**
 * The command line of `npm run bench`: names, defaults and limits, checked once.
 *
 * Wrong input throws a {@link UsageError} that names option, value and what would be right.
 */
import { parseArgs } from 'node:util';
import { DEFAULT_SHAPES, SHAPES, type Shape } from './shapes.ts';

/** The command line cannot be used; the message is for the person who typed it. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

export interface CompareOptions {
  /** Length of one timed slice. Default 1,000. */
  readonly sliceMs: number;
  /** Passes over all rows; every second pass runs backwards. Default 12. */
  readonly rounds: number;
  /** Untimed load on each row before the first slice of a shape. Default 3,000. */
  readonly warmMs: number;
  readonly shapes: readonly string[];
  /** Rows to run; empty means all. nginx always runs, because it is what the others are compared with. */
  readonly only: readonly string[];
  readonly without: readonly string[];
  /** Path of the result files without extension; undefined means a dated name under bench/results. */
  readonly out: string | undefined;
}

export const COMPARE_HELP = `npm run bench -- [options]            proxies side by side
npm run bench -- ab --a X --b Y       two builds of the reverse proxy against each other
npm run bench -- profile [options]    where the time goes in one row
npm run bench -- threads [options]    what a second thread brings
npm run bench -- l4 [options]         proxies of TCP and UDP side by side

  --shape NAME,...     ${SHAPES.map((shape) => shape.name).join(', ')}, or all
                       (default: ${DEFAULT_SHAPES.join(', ')})
  --only ROW,...       only these rows, and nginx
  --without ROW,...    all rows but these
  --rounds N           passes over all rows (default 12)
  --duration SECONDS   length of one timed slice (default 1)
  --warm SECONDS       untimed load before the first slice of a shape (default 3)
  --out PATH           result files PATH.json and PATH.md (default bench/results/<date>)
  --help`;

/** A list option: comma-separated, may be repeated. */
export function listOption(values: readonly string[] | undefined): string[] {
  const words = (values ?? []).flatMap((value) => value.split(','));
  return words.map((word) => word.trim()).filter((word) => word !== '');
}

/** A whole number within limits, both included. */
export function wholeNumberOption(
  flag: string,
  text: string | undefined,
  fallback: number,
  min: number,
  max: number,
): number {
  if (text === undefined) return fallback;
  const value = Number(text);
  if (text.trim() === '' || !Number.isInteger(value) || value < min || value > max) {
    throw new UsageError(`--${flag} must be a whole number from ${min} to ${max}, got ${JSON.stringify(text)}`);
  }
  return value;
}

/** Refuses a name that is not in `known`. */
export function requireKnown(flag: string, names: readonly string[], known: readonly string[]): void {
  for (const name of names) {
    if (!known.includes(name)) {
      throw new UsageError(`--${flag} does not know ${JSON.stringify(name)}; known are: ${known.join(', ')}`);
    }
  }
}

/** A timed shape by name. */
export function timedShape(name: string): Shape {
  const timed = SHAPES.filter((shape) => shape.kind === 'slices');
  requireKnown(
    'shape',
    [name],
    timed.map((shape) => shape.name),
  );
  return timed.find((shape) => shape.name === name) as Shape;
}

function chosenShapes(values: readonly string[] | undefined): readonly string[] {
  const names = listOption(values);
  const known = SHAPES.map((shape) => shape.name);
  if (names.length === 0) return DEFAULT_SHAPES;
  if (names.includes('all')) return known;
  requireKnown('shape', names, known);
  return [...new Set(names)];
}

/** Runs `parse`, turning its complaint about an unknown flag into a usage error. */
export function asUsage<T>(parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (error instanceof TypeError) throw new UsageError(error.message, { cause: error });
    throw error;
  }
}

/**
 * Options of the comparison. `rowNames` are the rows that exist.
 *
 * Answers `'help'` when the help text is wanted.
 */
export function parseCompareOptions(argv: readonly string[], rowNames: readonly string[]): CompareOptions | 'help' {
  const { values } = asUsage(() =>
    parseArgs({
      args: [...argv],
      options: {
        shape: { type: 'string', multiple: true },
        only: { type: 'string', multiple: true },
        without: { type: 'string', multiple: true },
        rounds: { type: 'string' },
        duration: { type: 'string' },
        warm: { type: 'string' },
        out: { type: 'string' },
        help: { type: 'boolean' },
      },
    }),
  );
  if (values.help === true) return 'help';
  const only = listOption(values.only);
  const without = listOption(values.without);
  requireKnown('only', only, rowNames);
  requireKnown('without', without, rowNames);
  return {
    sliceMs: wholeNumberOption('duration', values.duration, 1, 1, 60) * 1000,
    rounds: wholeNumberOption('rounds', values.rounds, 12, 1, 1000),
    warmMs: wholeNumberOption('warm', values.warm, 3, 1, 60) * 1000,
    shapes: chosenShapes(values.shape),
    only,
    without,
    out: values.out,
  };
}
