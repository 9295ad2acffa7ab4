/**
 * The command line of `npm run bench -- l4`.
 */
import { parseArgs } from 'node:util';
import { asUsage, listOption, requireKnown, wholeNumberOption } from '../options.ts';
import { L4_REFERENCE, L4_ROWS, type L4Row } from './l4-rows.ts';
import { L4_SHAPES, type L4Shape } from './l4-shapes.ts';
import type { L4Timing } from './measure-l4.ts';

export interface L4Options extends L4Timing {
  readonly shapes: readonly L4Shape[];
  readonly rows: readonly L4Row[];
  /** Path of the result files without extension; undefined means a dated name under bench/results. */
  readonly out: string | undefined;
  /** Put the tables into bench/README.md, too. */
  readonly readme: boolean;
}

const shapeNames = L4_SHAPES.map(({ name }) => name);
const rowNames = L4_ROWS.map(({ name }) => name);

export const L4_HELP = `npm run bench -- l4 [options]          proxies of TCP and UDP side by side

  --shape NAME,...     ${shapeNames.join(', ')} (default: all)
  --only ROW,...       only these rows, and nginx
  --without ROW,...    all rows but these
  --rounds N           passes over all rows (default 8)
  --duration SECONDS   length of one timed slice (default 1)
  --warm SECONDS       untimed load before the first slice (default 2)
  --pause SECONDS      rest between slices, for others who use the machine (default 0)
  --out PATH           result files PATH.json and PATH.md (default bench/results/l4-<date>)
  --readme             put the tables into bench/README.md, too

rows: ${rowNames.join(', ')}
`;

/** Throws a usage error for what it does not know. */
export function parseL4Options(argv: readonly string[]): L4Options | 'help' {
  const text = { type: 'string' } as const;
  const list = { type: 'string', multiple: true } as const;
  const options = {
    shape: list,
    only: list,
    without: list,
    rounds: text,
    duration: text,
    warm: text,
    pause: text,
    out: text,
    readme: { type: 'boolean' },
    help: { type: 'boolean' },
  } as const;
  const { values } = asUsage(() => parseArgs({ args: [...argv], options }));
  if (values.help === true) return 'help';
  const shapes = listOption(values.shape).filter((name) => name !== 'all');
  const only = listOption(values.only);
  const without = listOption(values.without);
  requireKnown('shape', shapes, shapeNames);
  requireKnown('only', only, rowNames);
  requireKnown('without', without, rowNames);
  return {
    shapes: L4_SHAPES.filter(({ name }) => shapes.length === 0 || shapes.includes(name)),
    rows: L4_ROWS.filter(
      ({ name }) => name === L4_REFERENCE || ((only.length === 0 || only.includes(name)) && !without.includes(name)),
    ),
    rounds: wholeNumberOption('rounds', values.rounds, 8, 1, 1000),
    sliceMs: wholeNumberOption('duration', values.duration, 1, 1, 60) * 1000,
    warmMs: wholeNumberOption('warm', values.warm, 2, 1, 60) * 1000,
    pauseMs: wholeNumberOption('pause', values.pause, 0, 0, 60) * 1000,
    out: values.out,
    readme: values.readme === true,
  };
}
